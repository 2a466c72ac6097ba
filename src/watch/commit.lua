--[[
Writes hosts and notices together, or none of them: every one must still have the version that it was read with.

KEYS  watched, notices, past incidents, hosts with incidents untold, due notices (by when they fell behind, in microseconds), notice times
ARGV  how many writes, then of each: 'host' | 'notice', field, expected version (0: must not exist), JSON ('': delete), notice's time (ms) or 0
      then how many of each, and these: past incidents (JSON), hosts untold, hosts told, stale notices
Answers 1 when written, 0 when one of them is of another version.
]]
local at = 1
local function take()
  at = at + 1
  return ARGV[at - 1]
end

local writes = {}
for i = 1, tonumber(take()) do
  local hash = take() == 'host' and KEYS[1] or KEYS[2]
  local field, expected, json, time = take(), take(), take(), take()
  local stored = redis.call('HGET', hash, field)
  -- The version goes first in the JSON.
  local version = stored and string.match(stored, '"version":(%d+)') or '0'
  if version ~= expected then return 0 end
  writes[i] = { hash, field, json, time }
end
for _, write in ipairs(writes) do
  if write[3] == '' then redis.call('HDEL', write[1], write[2]) else redis.call('HSET', write[1], write[2], write[3]) end
  if write[4] ~= '0' then redis.call('ZADD', KEYS[6], write[4], write[2]) end
end
for _ = 1, tonumber(take()) do redis.call('LPUSH', KEYS[3], take()) end
redis.call('LTRIM', KEYS[3], 0, 499)
for _ = 1, tonumber(take()) do redis.call('SADD', KEYS[4], take()) end
for _ = 1, tonumber(take()) do redis.call('SREM', KEYS[4], take()) end
-- Finer than a command takes, so that what falls behind while its card is written is seen to be later. As text: Lua would round it.
local now = redis.call('TIME')
now = now[1] .. string.format('%06d', now[2])
for _ = 1, tonumber(take()) do redis.call('ZADD', KEYS[5], now, take()) end
return 1
