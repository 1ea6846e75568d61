// forward PORT REDIS_PORT FILE THREADS: an HTTP server on 127.0.0.1 that does nothing but forward.
//
// FILE has commands for Redis, each with its length before it (32 bits, little-endian), each answered with an array of one
// value. Every request, whatever it says, sends the next of them to Redis, over one connection a thread, in as few writes as
// its epoll gives occasion for; what comes back is not looked at, and the answer is always the same. So it shows what the
// machine leaves to any server between these clients and this Redis.
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

// About what an answer of ten features has.
enum { EVENTS = 256, BODY_BYTES = 1000, BUFFER_BYTES = 1 << 20, MAXIMUM_WAITING = 1 << 16 };

struct command {
    char *bytes;
    uint32_t length;
};

static int port, redis_port;
static struct command *commands;
static size_t command_count;

static __attribute__((noreturn)) void die(const char *what) {
    fprintf(stderr, "forward: %s: %s\n", what, strerror(errno));
    exit(1);
}

static void read_commands(const char *path) {
    FILE *file = fopen(path, "rb");
    if (!file) die(path);
    uint32_t length;
    while (fread(&length, sizeof length, 1, file) == 1) {
        char *bytes = malloc(length);
        commands = realloc(commands, (command_count + 1) * sizeof *commands);
        if (!bytes || !commands || fread(bytes, 1, length, file) != length) die(path);
        commands[command_count++] = (struct command){bytes, length};
    }
    fclose(file);
    if (!command_count) die(path);
}

static struct sockaddr_in loopback(int number) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)number)};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return address;
}

static void prepare(int poller, int socket) {
    int one = 1;
    setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    fcntl(socket, F_SETFL, O_NONBLOCK);
    struct epoll_event event = {.events = EPOLLIN, .data.fd = socket};
    if (epoll_ctl(poller, EPOLL_CTL_ADD, socket, &event)) die("epoll_ctl");
}

static int listening(int poller) {
    int one = 1, listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    // Each thread has one: the kernel deals connections out to them.
    setsockopt(listener, SOL_SOCKET, SO_REUSEPORT, &one, sizeof one);
    struct sockaddr_in address = loopback(port);
    if (bind(listener, (struct sockaddr *)&address, sizeof address) || listen(listener, 128)) die("listen");
    prepare(poller, listener);
    return listener;
}

static int connected(int poller) {
    int redis = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct sockaddr_in address = loopback(redis_port);
    if (connect(redis, (struct sockaddr *)&address, sizeof address)) die("connect");
    prepare(poller, redis);
    return redis;
}

// How many bytes the first reply has: `*1 CRLF $length CRLF value CRLF`; 0 while it is not all there.
static size_t reply_length(const char *at, size_t count) {
    const char *first = memmem(at, count, "\r\n$", 3);
    if (!first) return 0;
    const char *second = memmem(first + 2, count - (size_t)(first + 2 - at), "\r\n", 2);
    if (!second) return 0;
    size_t length = (size_t)(second - at) + 2 + strtoul(first + 3, NULL, 10) + 2;
    return length <= count ? length : 0;
}

static __attribute__((noreturn)) void *serve(void *unused) {
    (void)unused;
    char answer[BODY_BYTES + 256];
    int answer_length = snprintf(answer, sizeof answer,
                                 "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n%0*d",
                                 BODY_BYTES, BODY_BYTES, 0);
    int poller = epoll_create1(EPOLL_CLOEXEC), listener = listening(poller), redis = connected(poller);
    int *waiting = malloc(MAXIMUM_WAITING * sizeof *waiting);
    char *in = malloc(BUFFER_BYTES), *out = malloc(BUFFER_BYTES), request[4096];
    if (!waiting || !in || !out) die("malloc");
    size_t first = 0, last = 0, in_length = 0, out_length = 0, next = 0;
    struct epoll_event events[EVENTS];
    for (;;) {
        int count = epoll_wait(poller, events, EVENTS, -1);
        for (int i = 0; i < count; i++) {
            int socket = events[i].data.fd;
            if (socket == listener) {
                int client = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
                if (client >= 0) prepare(poller, client);
            } else if (socket == redis) {
                ssize_t got = recv(redis, in + in_length, BUFFER_BYTES - in_length, 0);
                if (got <= 0) die("Redis");
                in_length += (size_t)got;
                size_t done = 0, length;
                while ((length = reply_length(in + done, in_length - done))) {
                    done += length;
                    send(waiting[first++ % MAXIMUM_WAITING], answer, (size_t)answer_length, MSG_NOSIGNAL);
                }
                memmove(in, in + done, in_length -= done);
            } else if (recv(socket, request, sizeof request, 0) <= 0) {
                close(socket);
            } else {
                const struct command *command = &commands[next++ % command_count];
                if (out_length + command->length > BUFFER_BYTES) die("too many requests at once");
                memcpy(out + out_length, command->bytes, command->length);
                out_length += command->length;
                waiting[last++ % MAXIMUM_WAITING] = socket;
            }
        }
        if (out_length && send(redis, out, out_length, MSG_NOSIGNAL) != (ssize_t)out_length) die("Redis");
        out_length = 0;
    }
}

int main(int argc, char **argv) {
    if (argc != 5) return fprintf(stderr, "usage: forward PORT REDIS_PORT FILE THREADS\n"), 1;
    port = atoi(argv[1]);
    redis_port = atoi(argv[2]);
    read_commands(argv[3]);
    for (int i = 1; i < atoi(argv[4]); i++) {
        pthread_t thread;
        if (pthread_create(&thread, NULL, serve, NULL)) die("pthread_create");
    }
    serve(NULL);
}
