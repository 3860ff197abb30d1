-- Changes generations, and tells all nodes. KEYS: generations, stream, number. ARGV: maximum length
-- of the stream, new generation, slots.
local slots = {}
for i = 3, #ARGV do
  slots[#slots + 1] = ARGV[i]
  redis.call('HSET', KEYS[1], ARGV[i], ARGV[2])
end
-- The number shows a node that it has missed a message.
local number = redis.call('INCR', KEYS[3])
redis.call('XADD', KEYS[2], 'MAXLEN', '~', ARGV[1], '*', 'n', number, 's', table.concat(slots, ','))
