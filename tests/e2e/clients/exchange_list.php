<?php
// What exchange_list.py says, for PHP.

function work_off(callable $answer_of): void
{
    [, $jobs_file, $answers_file] = $GLOBALS['argv'];
    $lines = [];
    foreach (file($jobs_file, FILE_IGNORE_NEW_LINES) as $line) {
        $fields = explode("\t", $line);
        [$name, $method, $path, $framing, $body] = $fields;
        [$status, $error, $body, $headers] = $answer_of([
            'method' => $method,
            'url' => getenv('API_ROOT') . $path,
            'chunked' => $framing === 'chunked',
            'body' => base64_decode($body),
            'headers' => array_slice($fields, 5),
        ]);
        $error = preg_replace('/\s+/', ' ', $error);
        $lines[] = implode("\t", [$name, $status, $error, base64_encode($body), ...$headers]) . "\n";
    }
    file_put_contents($answers_file, $lines);
}
