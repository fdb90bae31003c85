<?php
// PHP's own http:// and https:// streams. They ignore proxy variables and take a proxy from the context.
require __DIR__ . '/exchange_list.php';

// $DIAL is connected to in place of the name, which TLS and the request keep.
$root = getenv('API_ROOT');
$named = parse_url($root, PHP_URL_HOST);
$tls = getenv('DIAL') !== false ? ['peer_name' => $named] : [];
$proxy = getenv('USE_PROXY') !== false ? ['proxy' => str_replace('http://', 'tcp://', getenv('http_proxy'))] : [];

work_off(function (array $job) use ($proxy, $root, $named, $tls): array {
    if ($tls) {
        $job['url'] = 'https://' . getenv('DIAL') . substr($job['url'], strlen($root));
        $job['headers'][] = "Host: $named";
    }
    $http = ['method' => $job['method'], 'header' => $job['headers'], 'content' => $job['body'],
        'ignore_errors' => true, 'follow_location' => 0, 'protocol_version' => 1.1];
    // Over TLS the proxy gets a CONNECT and the tunnel the path; otherwise the proxy has to see the whole URL.
    $http += $proxy + ['request_fulluri' => $proxy !== [] && str_starts_with($job['url'], 'http:')];
    $body = @file_get_contents($job['url'], false, stream_context_create(['http' => $http, 'ssl' => $tls]));
    if ($body === false) return [0, error_get_last()['message'], '', []];
    $head = $http_response_header;
    return [(int) explode(' ', array_shift($head))[1], '', $body, $head];
});
