# The host's limits: from data.json, which mngr changes (`mngr limit`), or from the boot's settings until it has been read.
# Sourced.

# Prints four fields of mngr's CertifiedHostData on one line: IDLE|MAX_AGE|SOURCES|PREFIX, with `-` for none.
# shellcheck disable=SC2016 # jq's own variables
LIMITS_FILTER='
  def seconds: if type == "number" and . >= 0 and . <= 9999999999 then floor else error("not a time") end;
  def none: if . == "" then "-" else . end;
  if type != "object" then error("not an object") else . end
  | [ (if .idle_timeout_seconds == null then ($idle | tonumber) else .idle_timeout_seconds | seconds end),
      (if .max_host_age == null then "-" else .max_host_age | seconds end),
      (if has("activity_sources") then .activity_sources elif $sources == "-" then [] else $sources / "," end
        | if type == "array" and all(.[]; type == "string" and test("^[A-Za-z]+$")) then . else error("not sources") end
        | map(ascii_downcase) | join(",") | none),
      (.tmux_session_prefix // ""
        | if type == "string" and test("^[^[:space:][:cntrl:]]*$") then . else error("not a prefix") end) ]
  | map(tostring) | join("|")'

# start_limits: sets limit_idle, limit_age, limit_sources and limit_prefix from the boot's settings, in case data.json can't
# be read.
start_limits() {
  limit_idle=$idle_seconds
  limit_age=${max_age_seconds:--}
  limit_sources=user,agent,ssh,create,start,boot
  if ((idle_seconds == 0)); then limit_sources=-; fi
  limit_prefix=mngr-
  limits_of=unread
}

# follow_data STAMP: reads data.json again if its stamp has changed. If it is broken, the limits stay unchanged.
follow_data() {
  local found
  limits_of=$1
  if found=$(jq -er --arg idle "$limit_idle" --arg sources "$limit_sources" "$LIMITS_FILTER" \
    "$host_directory/data.json" 2>/dev/null) && [[ $found == *'|'* && $found != *$'\n'* ]]; then
    IFS='|' read -r limit_idle limit_age limit_sources limit_prefix <<<"$found"
    say_once data "limits of this host: $(limits_in_words)"
  elif [[ -e $host_directory/data.json ]]; then
    say_once data "data.json is broken, the limits stay: $(limits_in_words)"
  else
    say_once data "data.json is missing, the limits stay: $(limits_in_words)"
  fi
}

limits_in_words() {
  local idle="idle timeout $limit_idle s (of $limit_sources)" age="maximum age $limit_age s"
  if [[ $limit_idle == 0 || $limit_sources == - ]]; then idle='no idle timeout'; fi
  if [[ $limit_age == - ]]; then age='no maximum age'; fi
  printf '%s, %s' "$idle" "$age"
}
