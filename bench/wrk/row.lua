-- Case 3: one row by its key.
local load = require "load"
load.send(function() return load.get("/rows/" .. math.random(1, 10000)) end)
