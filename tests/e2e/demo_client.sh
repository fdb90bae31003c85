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

# The value of one member of the JSON on standard input. Enough for this API's minified answers.
member() {
  sed -n "s/.*\"$1\":\"\{0,1\}\([^\",}]*\).*/\1/p"
}

companies() {
  grep -o '"companyId":"[^"]*","companyName":"[^"]*"' | sed 's/.*Id":"\(.*\)","companyName":"\(.*\)"/  \1  \2/'
}

token=$(curl --silent --show-error --fail --max-time 20 --user "$ROARING_CLIENT_ID:$ROARING_CLIENT_SECRET" \
  --data grant_type=client_credentials "$root/token" | member access_token)

echo "One company"
company=$(call "$root/se/company/overview/2.0/5500000012")
printf '%s\n' "$company" | companies
printf '  in %s, with %s\n' "$(printf '%s\n' "$company" | member town)" \
  "$(printf '%s\n' "$company" | member numberEmployeesInterval)"

echo "Limited companies, two a page"
from=0
key=
while :; do
  page=$(call "$root/se/company/search/2.0/search?legalGroupCode=AB&pageSize=2&from=$from${key:+&requestKey=$key}")
  printf '%s\n' "$page" | companies
  # The API issues the key with the first page and wants it back with the others.
  key=$(printf '%s\n' "$page" | member requestKey)
  from=$((from + 2))
  [ "$from" -lt "$(printf '%s\n' "$page" | member hitCount)" ] || break
done

echo "A batch of three"
batch=$(call --header 'Content-Type: application/json' \
  --data '{"companyIds":["5500000020","5500000103","5500004048"]}' "$root/se/company/overview/2.0/")
printf '%s\n' "$batch" | companies
printf '  %s of them found\n' "$(printf '%s\n' "$batch" | member hitCount)"

echo "An unknown company"
printf '  5500004048  HTTP %s\n' \
  "$(call --output /dev/null --write-out '%{http_code}' "$root/se/company/overview/2.0/5500004048")"
