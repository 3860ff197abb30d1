-- Case 4: twenty statements, one after the other.
local load = require "load"
load.send(function() return load.get("/many/" .. math.random(1, 10000)) end)
