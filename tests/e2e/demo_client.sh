#!/bin/sh
# Looks a few companies up at roaring.io, as any client would: nothing in here knows of Tapedeck.
#
#   ROARING_CLIENT_ID, ROARING_CLIENT_SECRET   your keys
#   ROARING_API_ROOT                           https://api.roaring.io unless set
set -eu

root=${ROARING_API_ROOT:-https://api.roaring.io}
: "${ROARING_CLIENT_ID:?is not set}" "${ROARING_CLIENT_SECRET:?is not set}"

call() {
  curl --silent --show-error --max-time 20 --header "Authorization: Bearer $token" "$@"
}

# Prints parts of the JSON on standard input: an expression on `answer`, one line for each of its items.
show() {
  python3 -c '
import json, sys
answer = json.load(sys.stdin)
for line in eval(sys.argv[1]):
    print("  " + line)' "$1"
}

member() {
  sed -n "s/.*\"$1\":\"\{0,1\}\([^\",}]*\).*/\1/p"
}

token=$(curl --silent --show-error --fail --max-time 20 --user "$ROARING_CLIENT_ID:$ROARING_CLIENT_SECRET" \
  --data grant_type=client_credentials "$root/token" | member access_token)

echo "One company"
call "$root/se/company/overview/2.0/5500000012" |
  show '["%(companyId)s  %(companyName)s, %(town)s, %(numberEmployeesInterval)s" % r for r in answer["records"]]'

echo "Limited companies, two a page"
from=0
key=
while :; do
  page=$(call "$root/se/company/search/2.0/search?legalGroupCode=AB&pageSize=2&from=$from${key:+&requestKey=$key}")
  printf '%s' "$page" | show '["%(companyId)s  %(companyName)s" % h for h in answer["hits"]]'
  key=$(printf '%s' "$page" | member requestKey)
  from=$((from + 2))
  [ "$from" -lt "$(printf '%s' "$page" | member hitCount)" ] || break
done

echo "A batch"
call --header 'Content-Type: application/json' --data '{"companyIds":["5500000020","5500000103","5500004048"]}' \
  "$root/se/company/overview/2.0/" |
  show '(["%(companyId)s  %(companyName)s: %(statusTextDetailed)s" % r for r in answer["records"]]
    + ["%s  no match" % n for n in answer["responseInfo"]["noMatchIds"]])'

echo "An unknown company"
status=$(call --output /dev/null --write-out '%{http_code}' "$root/se/company/overview/2.0/5500004048")
echo "  5500004048  HTTP $status"
