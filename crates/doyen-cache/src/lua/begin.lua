-- Reads a value, and takes the lease to load it unless it is fresh or another node has the lease.
-- KEYS: entry, lease, generations. ARGV: holder, milliseconds of the lease, new generation, slots.
-- Returns: value, milliseconds left, milliseconds of them stale, generations, 1 if the lease is ours.
local slots = {}
for i = 4, #ARGV do slots[#slots + 1] = ARGV[i] end
local found = redis.call('HMGET', KEYS[3], unpack(slots))
for i = 1, #slots do
  -- Redis may have lost it: an unknown generation must not fit an old value.
  if not found[i] then
    redis.call('HSET', KEYS[3], slots[i], ARGV[3])
    found[i] = ARGV[3]
  end
end
local generations = table.concat(found, ',')
local entry = redis.call('HMGET', KEYS[1], 'g', 's', 'v')
local value, left, stale = false, 0, 0
if entry[1] == generations then
  value, stale = entry[3], tonumber(entry[2])
  left = redis.call('PTTL', KEYS[1])
  if left > stale then return {value, left, stale, generations, 0} end
end
local prefix = generations .. '|'
local lease = redis.call('GET', KEYS[2])
-- A load that began before an invalidation does not count.
if lease and string.sub(lease, 1, #prefix) == prefix then
  return {value, left, stale, generations, 0}
end
redis.call('SET', KEYS[2], prefix .. ARGV[1], 'PX', ARGV[2])
return {value, left, stale, generations, 1}
