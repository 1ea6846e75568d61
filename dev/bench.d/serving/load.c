// load PROTOCOL PORT FILE CONNECTIONS COUNT RATE SEED: sends COUNT requests to 127.0.0.1:PORT and measures the answers.
//
// PROTOCOL is http or resp. FILE has requests, each with its length before it (32 bits, little-endian); which one is
// sent is drawn at random. A run of 27 bytes 01 in a request becomes the time, a microsecond later in each request.
//
// With a RATE the load is open: request n is due at start + n / RATE, whatever the server does, and its latency counts
// from then. It goes out on the first connection that is free; when none is, it waits, and the wait counts. With RATE 0
// the load is closed: a connection sends its next request once its last one is answered.
//
// An answer is right when its status is 200, and in RESP when nothing in it is an error or nil.
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

enum { TIME_BYTES = 27, PATIENCE_SECONDS = 30 };

struct request {
    const char *bytes;
    size_t length;
    size_t *times;  // where the time goes
    size_t time_count;
};

struct connection {
    int socket;
    bool is_busy;
    uint64_t due;
    char *out, *in;
    size_t out_length, out_sent, out_capacity, in_length, in_capacity;
};

static int port, poller;
static bool is_http;
static struct request *requests;
static size_t request_count, answered, errors;
// A ring: connections take turns, so that all of the server's event loops have work.
static struct connection **idle;
static size_t connection_count, idle_first, idle_count;
static uint64_t *latencies, *delays;
static uint64_t random_state, moment;

static void die(const char *what) {
    fprintf(stderr, "load: %s%s%s\n", what, errno ? ": " : "", errno ? strerror(errno) : "");
    exit(1);
}

static void *allocated(void *memory) {
    if (!memory) die("out of memory");
    return memory;
}

static uint64_t nanoseconds(clockid_t clock) {
    struct timespec now;
    clock_gettime(clock, &now);
    return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

static uint64_t next_random(void) {  // splitmix64
    uint64_t z = random_state += 0x9e3779b97f4a7c15;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
    z = (z ^ z >> 27) * 0x94d049bb133111eb;
    return z ^ z >> 31;
}

static void find_times(struct request *request) {
    char marks[TIME_BYTES];
    memset(marks, 1, sizeof marks);
    const char *end = request->bytes + request->length, *at = request->bytes;
    while ((at = memmem(at, (size_t)(end - at), marks, sizeof marks))) {
        request->times = allocated(realloc(request->times, (request->time_count + 1) * sizeof(size_t)));
        request->times[request->time_count++] = (size_t)(at - request->bytes);
        at += TIME_BYTES;
    }
}

static void read_requests(const char *path) {
    FILE *file = fopen(path, "rb");
    if (!file) die(path);
    uint32_t length;
    while (fread(&length, sizeof length, 1, file) == 1) {
        char *bytes = allocated(malloc(length));
        if (fread(bytes, 1, length, file) != length) die("the file of requests ends in the middle of one");
        requests = allocated(realloc(requests, (request_count + 1) * sizeof *requests));
        requests[request_count] = (struct request){.bytes = bytes, .length = length};
        find_times(&requests[request_count++]);
    }
    fclose(file);
    if (!request_count) die("the file has no requests");
}

static void open_connection(struct connection *connection) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int one = 1;
    connection->socket = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (connect(connection->socket, (struct sockaddr *)&address, sizeof address)) die("cannot connect");
    setsockopt(connection->socket, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    fcntl(connection->socket, F_SETFL, O_NONBLOCK);
    struct epoll_event event = {.events = EPOLLIN | EPOLLOUT | EPOLLET, .data.ptr = connection};
    if (epoll_ctl(poller, EPOLL_CTL_ADD, connection->socket, &event)) die("epoll_ctl");
    connection->in_length = connection->out_length = connection->out_sent = 0;
}

static void put_idle(struct connection *connection) {
    idle[(idle_first + idle_count++) % connection_count] = connection;
}

static struct connection *take_idle(void) {
    struct connection *connection = idle[idle_first];
    idle_first = (idle_first + 1) % connection_count;
    idle_count--;
    return connection;
}

static void finish(struct connection *connection, bool is_right) {
    latencies[answered++] = nanoseconds(CLOCK_MONOTONIC) - connection->due;
    if (!is_right) errors++;
    connection->is_busy = false;
    put_idle(connection);
}

static void reopen(struct connection *connection) {
    close(connection->socket);
    open_connection(connection);
    if (connection->is_busy) finish(connection, false);
}

static bool flush(struct connection *connection) {
    while (connection->out_sent < connection->out_length) {
        ssize_t sent = send(connection->socket, connection->out + connection->out_sent,
                            connection->out_length - connection->out_sent, MSG_NOSIGNAL);
        if (sent < 0) return errno == EAGAIN;
        connection->out_sent += (size_t)sent;
    }
    return true;
}

static void begin(struct connection *connection, uint64_t due, size_t number) {
    const struct request *request = &requests[next_random() % request_count];
    if (connection->out_capacity < request->length) {
        connection->out_capacity = request->length;
        connection->out = allocated(realloc(connection->out, request->length));
    }
    memcpy(connection->out, request->bytes, request->length);
    if (request->time_count) {
        char text[64];
        time_t seconds = (time_t)(moment / 1000000);
        struct tm parts;
        gmtime_r(&seconds, &parts);
        size_t length = strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S", &parts);
        snprintf(text + length, sizeof text - length, ".%06uZ", (unsigned)(moment++ % 1000000));
        for (size_t i = 0; i < request->time_count; i++)
            memcpy(connection->out + request->times[i], text, TIME_BYTES);
    }
    connection->out_length = request->length;
    connection->out_sent = connection->in_length = 0;
    connection->is_busy = true;
    connection->due = due;
    delays[number] = nanoseconds(CLOCK_MONOTONIC) - due;
    if (!flush(connection)) reopen(connection);
}

// Whether the whole answer is there; `is_right` says what it is.
static bool is_complete_http(const struct connection *connection, bool *is_right) {
    const char *end = strstr(connection->in, "\r\n\r\n");
    if (!end) return false;
    const char *length = strcasestr(connection->in, "\r\ncontent-length:");
    errno = 0;
    if (!length || length > end) die("an answer has no Content-Length");
    *is_right = !strncmp(connection->in, "HTTP/1.1 200", 12);
    return connection->in_length >= (size_t)(end + 4 - connection->in) + strtoul(length + 17, NULL, 10);
}

static bool is_complete_resp(const struct connection *connection, bool *is_right) {
    const char *at = connection->in, *end = at + connection->in_length;
    *is_right = true;
    for (long pending = 1; pending > 0; pending--) {
        const char *line = at;
        at = memmem(line, (size_t)(end - line), "\r\n", 2);
        if (!at) return false;
        at += 2;
        long number = strtol(line + 1, NULL, 10);
        if (*line == '-' || number < 0) *is_right = false;
        if (*line == '*' && number > 0) pending += number;
        if (*line == '$' && number >= 0) at += number + 2;
        if (at > end) return false;
    }
    return true;
}

static void receive(struct connection *connection) {
    for (;;) {
        if (connection->in_capacity - connection->in_length < 65536) {
            connection->in_capacity = 2 * connection->in_capacity + 131072;
            connection->in = allocated(realloc(connection->in, connection->in_capacity));
        }
        size_t room = connection->in_capacity - connection->in_length - 1;
        ssize_t count = recv(connection->socket, connection->in + connection->in_length, room, 0);
        if (count < 0 && errno == EAGAIN) break;
        if (count <= 0) {
            reopen(connection);
            return;
        }
        connection->in_length += (size_t)count;
        // That was all there is; of what comes later epoll tells.
        if ((size_t)count < room) break;
    }
    if (!connection->is_busy) return;
    connection->in[connection->in_length] = 0;
    bool is_right;
    if (is_http ? is_complete_http(connection, &is_right) : is_complete_resp(connection, &is_right))
        finish(connection, is_right);
}

static int compare(const void *left, const void *right) {
    uint64_t a = *(const uint64_t *)left, b = *(const uint64_t *)right;
    return a < b ? -1 : a > b;
}

static double microseconds(const uint64_t *sorted, size_t count, double share) {
    size_t place = (size_t)(share * (double)count);
    return (double)sorted[place < count ? place : count - 1] / 1000;
}

static void print(double seconds) {
    qsort(latencies, answered, sizeof *latencies, compare);
    qsort(delays, answered, sizeof *delays, compare);
    printf("requests %zu\nerrors %zu\nseconds %.6f\n", answered, errors, seconds);
    printf("p50_microseconds %.1f\np99_microseconds %.1f\n", microseconds(latencies, answered, 0.5),
           microseconds(latencies, answered, 0.99));
    printf("p999_microseconds %.1f\nmaximum_microseconds %.1f\n", microseconds(latencies, answered, 0.999),
           microseconds(latencies, answered, 1));
    // From due to sent: how late this program was itself, or how long no connection was free.
    printf("delay_p99_microseconds %.1f\n", microseconds(delays, answered, 0.99));
}

// Waits for events, at most until a time.
static int wait(struct epoll_event *events, int maximum, uint64_t until) {
    uint64_t now = nanoseconds(CLOCK_MONOTONIC), left = until > now ? until - now : 0;
    struct timespec timeout = {(time_t)(left / 1000000000), (long)(left % 1000000000)};
    return epoll_pwait2(poller, events, maximum, &timeout, NULL);
}

static double run(size_t count, double rate) {
    struct epoll_event events[256];
    // The kernel may not be 50 us late, as it is by default to spare interrupts.
    if (prctl(PR_SET_TIMERSLACK, 1)) die("prctl");
    uint64_t start = nanoseconds(CLOCK_MONOTONIC), last_answer = start;
    size_t sent = 0;
    while (answered < count) {
        uint64_t now = nanoseconds(CLOCK_MONOTONIC), due = now;
        while (sent < count && idle_count > 0) {
            due = rate > 0 ? start + (uint64_t)((double)sent * 1e9 / rate) : now;
            if (due > now) break;
            begin(take_idle(), due, sent++);
            now = nanoseconds(CLOCK_MONOTONIC);
        }
        size_t before = answered;
        int found = wait(events, 256, due > now ? due : now + 1000000000);
        for (int i = 0; i < found; i++) {
            struct connection *connection = events[i].data.ptr;
            if (events[i].events & EPOLLOUT && !flush(connection)) reopen(connection);
            if (events[i].events & (EPOLLIN | EPOLLHUP | EPOLLERR)) receive(connection);
        }
        if (answered > before || answered == sent) last_answer = nanoseconds(CLOCK_MONOTONIC);
        errno = 0;
        if (nanoseconds(CLOCK_MONOTONIC) - last_answer > (uint64_t)PATIENCE_SECONDS * 1000000000)
            die("no answer for 30 seconds");
    }
    return (double)(nanoseconds(CLOCK_MONOTONIC) - start) / 1e9;
}

int main(int argc, char **argv) {
    if (argc != 8) die("usage: load http|resp PORT FILE CONNECTIONS COUNT RATE SEED");
    is_http = !strcmp(argv[1], "http");
    port = atoi(argv[2]);
    read_requests(argv[3]);
    connection_count = strtoul(argv[4], NULL, 10);
    size_t count = strtoul(argv[5], NULL, 10);
    random_state = strtoul(argv[7], NULL, 10);
    moment = nanoseconds(CLOCK_REALTIME) / 1000;
    if (!connection_count || !count) die("there have to be connections and requests");
    latencies = allocated(calloc(count, sizeof *latencies));
    delays = allocated(calloc(count, sizeof *delays));
    idle = allocated(calloc(connection_count, sizeof *idle));
    poller = epoll_create1(EPOLL_CLOEXEC);
    for (size_t i = 0; i < connection_count; i++) {
        struct connection *connection = allocated(calloc(1, sizeof *connection));
        open_connection(connection);
        put_idle(connection);
    }
    print(run(count, strtod(argv[6], NULL)));
}
