-- Makes every value unreadable, and tells all nodes. KEYS: generations, stream, number. ARGV:
-- maximum length of the stream.
redis.call('DEL', KEYS[1])
-- A number that does not follow the last one: each node drops all its values.
local number = redis.call('INCRBY', KEYS[3], 2)
redis.call('XADD', KEYS[2], 'MAXLEN', '~', ARGV[1], '*', 'n', number, 's', '')
