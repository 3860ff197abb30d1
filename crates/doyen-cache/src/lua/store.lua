-- Stores a loaded value, if the lease is still ours and nothing was invalidated since it began.
-- KEYS: entry, lease, generations. ARGV: lease, generations, value, milliseconds, milliseconds of
-- them stale, slots.
if redis.call('GET', KEYS[2]) ~= ARGV[1] then return 0 end
redis.call('DEL', KEYS[2])
local slots = {}
for i = 6, #ARGV do slots[#slots + 1] = ARGV[i] end
local found = redis.call('HMGET', KEYS[3], unpack(slots))
for i = 1, #slots do
  if not found[i] then return 0 end
end
if table.concat(found, ',') ~= ARGV[2] then return 0 end
redis.call('HSET', KEYS[1], 'g', ARGV[2], 's', ARGV[5], 'v', ARGV[3])
redis.call('PEXPIRE', KEYS[1], ARGV[4])
return 1
