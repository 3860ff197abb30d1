-- Case 1: a constant.
local load = require "load"
load.send(function() return load.get("/json") end)
