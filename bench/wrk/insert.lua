-- Case 6: a row is inserted in a transaction.
local load = require "load"
local body = '{"subject":"The printer on the second floor is out of paper","body":"It has been empty since Monday, '
  .. 'and the cupboard beside it holds no paper either. Could somebody order some, please?","priority":2}'
load.send(function() return load.post("/tickets", body) end)
