import { redisScript } from './redis-script.ts';

/**
 * A room of several nodes in Redis: `stream:{id}:chat`, a stream of its last messages with `{seq}-0` as their ids, and
 * `stream:{id}:chat:head`, a hash with `epoch` and the last `seq`. Both live a day after the last message. An entry has the
 * message's id (`id`), instant (`t`, ms) and JSON without its `seq` (`m`).
 */
export function chatKeys(liveId: string): [head: string, ring: string] {
  return [`stream:${liveId}:chat:head`, `stream:${liveId}:chat`];
}

/** Rooms that no event has named, by their first message: anybody can make those, so the oldest goes past a bound. */
export const UNNAMED_ROOMS_KEY = 'realtime:unnamed';

/** A command that stood in a stopped Redis must not run after its sender has given up: the message has got another place. */
const REFUSE_LATE = `
local time = redis.call('TIME')
local nowMs = time[1] * 1000 + math.floor(time[2] / 1000)
`;

/** KEYS head, ring · ARGV deadline, epoch, ring's bound, life in ms, id, t, m → {'placed', seq} | {'elsewhere'} | {'late'} */
export const APPEND = redisScript(
  'chat_append',
  `${REFUSE_LATE}
if nowMs > tonumber(ARGV[1]) then return {'late'} end
if redis.call('HGET', KEYS[1], 'epoch') ~= ARGV[2] then return {'elsewhere'} end
local seq = redis.call('HINCRBY', KEYS[1], 'seq', 1)
redis.call('XADD', KEYS[2], 'MAXLEN', ARGV[3], string.format('%.0f-0', seq), 'id', ARGV[5], 't', ARGV[6], 'm', ARGV[7])
redis.call('PEXPIRE', KEYS[1], ARGV[4])
redis.call('PEXPIRE', KEYS[2], ARGV[4])
return {'placed', seq}`,
);

/**
 * Brings a node's room and the shared one together. The room is made when it is not there and somebody needs it or has something to
 * say, always in a new epoch: another node may know the old one with other messages. What the node offers is added at the end,
 * unless it is there already or older than everything that is kept: all of it when the shared room is not the one the node
 * knew (Redis lost it), else what was said apart.
 *
 * KEYS head, ring, unnamed · ARGV deadline, known epoch, new epoch, last seq, ring's bound, life in ms, id of an unnamed room or
 * '', their bound, needed ('1'), offered in full ('1'), then id, t, m, apart ('1') of each offered message
 * → {'ok', epoch, seq, added, entries} | {'absent'} | {'unknown'} (offer in full) | {'late'}
 */
export const RECONCILE = redisScript(
  'chat_reconcile',
  `${REFUSE_LATE}
if nowMs > tonumber(ARGV[1]) then return {'late'} end
local ringMax = tonumber(ARGV[5])
local epoch = redis.call('HGET', KEYS[1], 'epoch')
if ARGV[10] ~= '1' and epoch ~= ARGV[2] then return {'unknown'} end
local added = 0
if not epoch then
  if ARGV[9] ~= '1' and #ARGV == 10 then return {'absent'} end
  epoch = ARGV[3]
  added = 1
  redis.call('DEL', KEYS[1], KEYS[2])
  redis.call('HSET', KEYS[1], 'epoch', epoch, 'seq', ARGV[4])
  if ARGV[7] ~= '' then
    redis.call('ZADD', KEYS[3], time[1] * 1000000 + time[2], ARGV[7])
    redis.call('PEXPIRE', KEYS[3], ARGV[6])
    local surplus = redis.call('ZCARD', KEYS[3]) - tonumber(ARGV[8])
    if surplus > 0 then
      for _, id in ipairs(redis.call('ZRANGE', KEYS[3], 0, surplus - 1)) do
        redis.call('DEL', 'stream:' .. id .. ':chat', 'stream:' .. id .. ':chat:head')
      end
      redis.call('ZREMRANGEBYRANK', KEYS[3], 0, surplus - 1)
    end
  end
end
local entries = redis.call('XRANGE', KEYS[2], '-', '+')
local known = {}
for _, entry in ipairs(entries) do known[entry[2][2]] = true end
local oldest = 0
if #entries >= ringMax then oldest = tonumber(entries[1][2][4]) end
local isOurs = epoch == ARGV[2]
for index = 11, #ARGV, 4 do
  local id, t = ARGV[index], ARGV[index + 1]
  if not known[id] and tonumber(t) >= oldest and (not isOurs or ARGV[index + 3] == '1') then
    local seq = redis.call('HINCRBY', KEYS[1], 'seq', 1)
    redis.call('XADD', KEYS[2], 'MAXLEN', ringMax, string.format('%.0f-0', seq), 'id', id, 't', t, 'm', ARGV[index + 2])
    added = added + 1
  end
end
if added > 0 then
  entries = redis.call('XRANGE', KEYS[2], '-', '+')
  redis.call('PEXPIRE', KEYS[1], ARGV[6])
  redis.call('PEXPIRE', KEYS[2], ARGV[6])
end
return {'ok', epoch, tonumber(redis.call('HGET', KEYS[1], 'seq')), added, entries}`,
);

export const CHAT_SCRIPTS = [APPEND, RECONCILE];
