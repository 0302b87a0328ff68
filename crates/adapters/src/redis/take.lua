-- Takes one request from the quota of each key, in their order, by the server's own clock, so that no two processes
-- need to agree on the time. ARGV holds a window and an interval, in microseconds, for each of KEYS.
--
-- Answers for each whether the request is allowed (1 or 0), and how many microseconds ahead of now the arrival time is.
-- The arithmetic is that of `Gcra::admit`. Microseconds since 1970 are exact in a double until the year 2255.
--
-- A key expires when the whole quota is there again, which says the same as no key. A value that is no number says
-- nothing, and is written over.
local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000000 + tonumber(time[2])
local answers = {}
for index, key in ipairs(KEYS) do
  local window, interval = tonumber(ARGV[2 * index - 1]), tonumber(ARGV[2 * index])
  local arrival = math.min(math.max(tonumber(redis.pcall('GET', key)) or 0, now), now + window)
  local next = arrival + interval
  local allowed = next <= now + window
  if allowed then
    redis.call('SET', key, string.format('%.0f', next), 'PX', math.ceil((next - now) / 1000))
  end
  answers[2 * index - 1] = allowed and 1 or 0
  answers[2 * index] = (allowed and next or arrival) - now
end
return answers
