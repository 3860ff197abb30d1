-- Case 5: a page of fifty, always a full one.
local load = require "load"
load.send(function() return load.get("/page?before=" .. math.random(51, 10001)) end)
