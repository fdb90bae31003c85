<?php
// PHP's curl extension: one handle for all, proxies from the environment, trust from php.ini.
require __DIR__ . '/exchange_list.php';

$handle = curl_init();

work_off(function (array $job) use ($handle): array {
    curl_reset($handle);
    $headers = [];
    curl_setopt_array($handle, [
        CURLOPT_URL => $job['url'],
        CURLOPT_CUSTOMREQUEST => $job['method'],
        CURLOPT_NOBODY => $job['method'] === 'HEAD',
        CURLOPT_HTTPHEADER => array_merge($job['headers'], $job['chunked'] ? ['Transfer-Encoding: chunked'] : []),
        CURLOPT_RETURNTRANSFER => true,
        CURLOPT_SUPPRESS_CONNECT_HEADERS => true,
        CURLOPT_HTTPPROXYTUNNEL => getenv('TUNNEL') !== false,
        CURLOPT_HEADERFUNCTION => function ($_, string $line) use (&$headers): int {
            if (str_starts_with($line, 'HTTP/')) $headers = [];
            elseif (trim($line) !== '') $headers[] = trim($line);
            return strlen($line);
        },
    ]);
    if ($job['body'] !== '') curl_setopt($handle, CURLOPT_POSTFIELDS, $job['body']);
    if (getenv('DIAL') !== false) curl_setopt($handle, CURLOPT_CONNECT_TO, ['::' . getenv('DIAL')]);
    $body = curl_exec($handle);
    if ($body === false) return [0, curl_error($handle), '', []];
    return [curl_getinfo($handle, CURLINFO_RESPONSE_CODE), '', $body, $headers];
});
