-- All policies of one request: each counts the call, or none does. The same arithmetic as gcra.rs, by the clock of Redis.
-- KEYS: the buckets. ARGV: for each bucket its interval, its tolerance and the cost, in microseconds and calls.
-- Answers for each bucket the level after the call and the time to wait, in microseconds.
local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000000 + tonumber(time[2])
local after, answer, refused, seen = {}, {}, false, {}
for i, key in ipairs(KEYS) do
  local interval, tolerance, cost = tonumber(ARGV[3 * i - 2]), tonumber(ARGV[3 * i - 1]), tonumber(ARGV[3 * i])
  local full_at = seen[key] or tonumber(redis.call('GET', key) or now)
  if full_at < now or full_at > now + 2 * tolerance then
    full_at = now
  end
  full_at = math.min(full_at, now + tolerance)
  local next = full_at + interval * cost
  local wait = next - now - tolerance
  answer[2 * i - 1] = full_at - now
  if wait > 0 then
    refused = true
    answer[2 * i] = wait
  else
    answer[2 * i] = 0
    full_at = next
  end
  after[i] = full_at
  seen[key] = full_at
end
if not refused then
  for i, key in ipairs(KEYS) do
    answer[2 * i - 1] = after[i] - now
    redis.call('SET', key, string.format('%.0f', after[i]), 'PX', math.ceil((after[i] - now) / 1000) + 1)
  end
end
return answer
