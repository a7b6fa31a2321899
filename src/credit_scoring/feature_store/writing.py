"""How histories are written: many at once, and never an older over a newer one."""

from collections.abc import Sequence

from credit_scoring.feature_store.connection import Argument

# A history that came with a request while a materialization ran is newer than the
# one in its file. What claims to be from the future is no history worth keeping.
# A value's time of writing is in its bytes 9 to 16, see `encoding`.
_SCRIPT = """
local seconds, latest = ARGV[1], tonumber(ARGV[2])
local kept = 0
for place, key in ipairs(KEYS) do
  local fresh = ARGV[place + 2]
  local held = redis.pcall('GETRANGE', key, 9, 16)
  local written = 0
  if type(held) == 'string' and #held == 8 then
    written = struct.unpack('<I8', held)
  end
  if written > struct.unpack('<I8', fresh, 10) and written <= latest then
    kept = kept + 1
  else
    redis.call('SET', key, fresh, 'EX', seconds)
  end
end
return kept
"""
_CLOCKS_DIFFER_MS = 60_000


def writing_command(
    keys: Sequence[str],
    values: Sequence[bytes],
    *,
    seconds_to_live: int,
    now_ms: int,
) -> list[Argument]:
    """Make the command that writes encoded histories.

    Args:
        keys: Where to.
        values: What, in the same order.
        seconds_to_live: After so long the server forgets them.
        now_ms: What was written later than this, by a minute or more, is not
            believed and written over; 0 to write over everything.

    Returns:
        The command. The server answers with the number of keys that it left as
        they were, because they held something newer.
    """
    latest = now_ms + _CLOCKS_DIFFER_MS if now_ms else 0
    return [
        "EVAL", _SCRIPT, len(keys), *keys, seconds_to_live, latest, *values
    ]  # fmt: skip
