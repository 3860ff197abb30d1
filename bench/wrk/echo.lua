-- Case 2: a body that is parsed, checked and sent back.
local load = require "load"
local body = '{"subject":"The printer on the second floor is out of paper","body":"It has been empty since Monday, '
  .. 'and the cupboard beside it holds no paper either. Could somebody order some, please?","priority":2,'
  .. '"email":"ann@example.com","tags":["printer","office"]}'
load.send(function() return load.post("/echo", body) end)
