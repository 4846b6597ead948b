/*
 * Licensed under the Apache License, Version 2.0: see LICENSE at the top of this repository.
 *
 * Puts load on a broker: sends or pulls over some connections, each with some requests in flight.
 *
 *     cc -O2 -o load load.c
 *     ./load send port=10911 topic=Bench connections=16 depth=1 body=1024 seconds=3
 *     ./load pull port=10911 topic=Bench connections=4 depth=32 seconds=3
 *
 * One thread, epoll, plain frames. The frames of the sends are made once, at the start; later only the digits
 * that differ are replaced (all have a fixed width), so the generator takes a fraction of what any broker takes. Its own share of a processor is printed as "cpu": a figure near 1 says that it was the bottleneck.
 *
 * Parameters, name=value:
 *     port, connections    of 127.0.0.1; how many (1)
 *     topic, topics        the name; with topics=N messages go to name00000, name00001, ... in turn
 *     queues               of each topic (4): messages go round them; connection i pulls from queue i % queues
 *     depth                requests in flight of each connection (1); messages of one pull
 *     body                 bytes of a message (1024)
 *     seconds, count       when to stop: after a time (3), or once so many messages have their responses
 *     pause                milliseconds between two pulls of a connection (0)
 *     tls                  1: use TLS, without verifying the broker (0); needs -DWITH_OPENSSL -lssl -lcrypto
 *     user, secret         sign each send as this user (not); needs the same; not with topics=N
 *     deliver, spread      milliseconds since the epoch: timed messages, due in turn at that second and the spread - 1 (0) after it
 *
 * Prints one line of JSON. rate: messages a second. p50, p99, p999, worst: microseconds from before the write of
 * a request until its response was read. errors: responses with another code than success (a pull may also find
 * nothing). gaps: pulled messages whose queue offset does not follow the one before. The exit status is 1 if there
 * was an error or a gap, or if the broker closed a connection.
 *
 * Responses are assigned to requests by their opaque number: a broker may reorder them.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>
#ifdef WITH_OPENSSL
#define OPENSSL_SUPPRESS_DEPRECATED /* SHA1_Update has no cost of its own, unlike EVP_DigestUpdate */
#include <fcntl.h>
#include <openssl/err.h>
#include <openssl/sha.h>
#include <openssl/ssl.h>
#endif

/* Opaque numbers have ten digits: FIRST_OPAQUE + round * MAX_DEPTH + slot. */
enum { FIRST_OPAQUE = 1000000000, MAX_DEPTH = 1024, ROUNDS = 1000000, MAX_EVENTS = 64, HEADER_ROOM = 1024 };
/* Latencies are counted in tenths of a microsecond, in steps of at most 1/128 of the value. */
enum { STEPS = 128, BUCKETS = STEPS * 40 };

typedef struct {
    int opaque, queue_id, topic, key, born, deliver; /* where the digits begin in the frame of a send */
    int signature;
    int size;
} Form;

typedef struct {
    int fd, queue;
    uint32_t round;
    long next, expected;
    double due; /* when to pull again */
    unsigned char *read;
    size_t read_size, read_capacity;
    int *free_slots, free_count;
    uint32_t *opaques; /* of the request in each slot; 0: none */
    double *sent_at;
    char *requests; /* the frames of all slots */
#ifdef WITH_OPENSSL
    SSL *tls; /* NULL: plain */
#endif
} Connection;

static int is_pull, uses_tls, port, connection_count = 1, depth = 1, body = 1024, queues = 4, topics, pause_ms, spread = 1;
static long deliver, count, sent, completed, errors, gaps, bytes;
static double seconds = 3, worst;
static const char *topic = "Bench", *user, *secret;
static char first_error[512];
static long histogram[BUCKETS], measured;
static Form form;

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec + t.tv_nsec / 1e9;
}

static void fail(const char *what) {
    fprintf(stderr, "%s: %s\n", what, strerror(errno));
    exit(2);
}

static uint32_t read_u32(const unsigned char *at) {
    uint32_t value;
    memcpy(&value, at, 4);
    return ntohl(value);
}

static void write_u32(char *at, uint32_t value) {
    value = htonl(value);
    memcpy(at, &value, 4);
}

static void write_digits(char *at, int width, unsigned long value, unsigned base) {
    while (width--) {
        at[width] = "0123456789ABCDEF"[value % base];
        value /= base;
    }
}

/* -- latencies */

static int bucket_of(double elapsed) {
    unsigned long units = (unsigned long)(elapsed * 1e7);
    int doublings = 0;
    while (units >= 2 * STEPS) {
        units >>= 1;
        doublings++;
    }
    int index = doublings * STEPS + (int)units;
    return index < BUCKETS ? index : BUCKETS - 1;
}

static double microseconds_of(int bucket) {
    int doublings = bucket < 2 * STEPS ? 0 : bucket / STEPS - 1;
    return (double)((unsigned long)(bucket - doublings * STEPS) << doublings) / 10;
}

static void note_latency(double elapsed) {
    histogram[bucket_of(elapsed)]++;
    measured++;
    if (elapsed > worst) worst = elapsed;
}

static double percentile(double share) {
    long rank = (long)(measured * share), seen = 0;
    for (int i = 0; i < BUCKETS; i++) {
        seen += histogram[i];
        if (seen > rank) return microseconds_of(i);
    }
    return worst * 1e6;
}

/* -- requests */

#define TAIL "},\"flag\":0,\"language\":\"JAVA\",\"opaque\":%s,\"serializeTypeCurrentRPC\":\"JSON\",\"version\":401}"

/* Where a digit differs later there is a '#', where one of a key does there is a '$', '=' for the signature, and '@' for a time. */
static int format_send(char *header) {
    char signature[256] = "";
    if (user)
        snprintf(signature, sizeof signature, "\"AccessKey\":\"%s\",\"Signature\":\"%s\",", user,
                 "============================");
    const char *timer = deliver ? "TIMER_DELIVER_MS\\u0001@@@@@@@@@@@@@\\u0002" : "";
    return snprintf(header, HEADER_ROOM,
                    "{\"code\":310,\"extFields\":{%s\"a\":\"bench\",\"b\":\"%s%s\",\"c\":\"TBW102\",\"d\":\"%d\",\"e\":\"#\","
                    "\"f\":\"0\",\"g\":\"#############\",\"h\":\"0\",\"i\":\"UNIQ_KEY\\u00017F000001ABCD18B4AAC2$$$$$$$$"
                    "$$$$\\u0002WAIT\\u0001true\\u0002TAGS\\u0001TagA\\u0002%s\",\"j\":\"0\",\"k\":\"false\",\"m\":\"false\"" TAIL,
                    signature, topic, topics ? "#####" : "", queues, timer, "##########");
}

/* A pull stands for many messages, so its header is formatted each time. */
static int format_pull(char *frame, const Connection *c, uint32_t opaque) {
    char digits[16];
    snprintf(digits, sizeof digits, "%u", opaque);
    int size = snprintf(frame + 8, HEADER_ROOM,
                        "{\"code\":11,\"extFields\":{\"consumerGroup\":\"bench\",\"topic\":\"%s%s\",\"queueId\":\"%d\","
                        "\"queueOffset\":\"%ld\",\"maxMsgNums\":\"%d\",\"sysFlag\":\"4\",\"commitOffset\":\"0\","
                        "\"suspendTimeoutMillis\":\"0\",\"subscription\":\"*\",\"subVersion\":\"0\","
                        "\"expressionType\":\"TAG\"" TAIL,
                        topic, topics ? "00000" : "", c->queue, c->next, depth, digits);
    write_u32(frame, 4 + size);
    write_u32(frame + 4, size);
    return 8 + size;
}

/* Return where the first mark behind a name begins. */
static int find_mark(const char *frame, int size, const char *name, char mark) {
    const char *at = memmem(frame, size, name, strlen(name));
    return (int)((const char *)memchr(at, mark, frame + size - at) - frame);
}

/* Make the frames of the sends that a connection may have in flight. */
static char *make_sends(void) {
    char header[HEADER_ROOM];
    int size = format_send(header);
    form.size = 8 + size + body;
    char *frames = malloc((size_t)form.size * depth);
    if (frames == NULL) fail("memory");
    for (int i = 0; i < depth; i++) {
        char *frame = frames + (size_t)i * form.size;
        write_u32(frame, 4 + size + body);
        write_u32(frame + 4, size);
        memcpy(frame + 8, header, size);
        for (int k = 0; k < body; k++) frame[8 + size + k] = 'a' + (i + k) % 26;
    }
    form.topic = topics ? find_mark(frames, 8 + size, "\"b\":", '#') : 0;
    form.queue_id = find_mark(frames, 8 + size, "\"e\":", '#');
    form.born = find_mark(frames, 8 + size, "\"g\":", '#');
    form.key = find_mark(frames, 8 + size, "UNIQ_KEY", '$');
    form.opaque = find_mark(frames, 8 + size, "\"opaque\":", '#');
    form.deliver = deliver ? find_mark(frames, 8 + size, "TIMER_DELIVER_MS", '@') : 0;
    form.signature = user ? find_mark(frames, 8 + size, "\"Signature\":", '=') : 0;
    return frames;
}

/* -- signatures: base64(HMAC-SHA1(secret, values in the order of the fields' names, and the body)) */

#ifdef WITH_OPENSSL
static SHA_CTX inner, outer;

static void prepare_signatures(void) {
    unsigned char block[64] = {0}, other[64];
    memcpy(block, secret, strlen(secret));
    for (int i = 0; i < 64; i++) {
        other[i] = block[i] ^ 0x5c;
        block[i] ^= 0x36;
    }
    SHA1_Init(&inner);
    SHA1_Update(&inner, block, sizeof block);
    SHA1_Init(&outer);
    SHA1_Update(&outer, other, sizeof other);
}

static void sign(char *frame) {
    char text[HEADER_ROOM];
    unsigned char digest[SHA_DIGEST_LENGTH];
    int size = snprintf(text, sizeof text,
                        "%sbench%sTBW102%d%c0%.13s0UNIQ_KEY\0017F000001ABCD18B4AAC2%.12s\002WAIT\001true\002TAGS\001TagA"
                        "\0020falsefalse",
                        user, topic, queues, frame[form.queue_id], frame + form.born, frame + form.key);
    SHA_CTX one = inner, two = outer;
    SHA1_Update(&one, text, size);
    SHA1_Update(&one, frame + form.size - body, body);
    SHA1_Final(digest, &one);
    SHA1_Update(&two, digest, sizeof digest);
    SHA1_Final(digest, &two);
    char encoded[29];
    EVP_EncodeBlock((unsigned char *)encoded, digest, sizeof digest);
    memcpy(frame + form.signature, encoded, 28);
}
#endif

/* -- bytes, plain or by TLS: as send and recv, with EAGAIN for what would wait */

#ifdef WITH_OPENSSL
static ssize_t tls_result(Connection *c, int done) {
    if (done > 0) return done;
    int why = SSL_get_error(c->tls, done);
    if (why == SSL_ERROR_ZERO_RETURN) return 0;
    errno = why == SSL_ERROR_WANT_READ || why == SSL_ERROR_WANT_WRITE ? EAGAIN : EIO;
    return -1;
}

static void begin_tls(Connection *c) {
    static SSL_CTX *context;
    if (context == NULL) {
        context = SSL_CTX_new(TLS_client_method());
        SSL_CTX_set_mode(context, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    }
    c->tls = SSL_new(context);
    SSL_set_fd(c->tls, c->fd);
    if (SSL_connect(c->tls) != 1) {
        ERR_print_errors_fp(stderr);
        fail("TLS");
    }
    fcntl(c->fd, F_SETFL, fcntl(c->fd, F_GETFL) | O_NONBLOCK);
}
#endif

static ssize_t send_some(Connection *c, const char *data, size_t size) {
#ifdef WITH_OPENSSL
    if (c->tls) return tls_result(c, SSL_write(c->tls, data, (int)size));
#endif
    return send(c->fd, data, size, MSG_NOSIGNAL);
}

static ssize_t receive_some(Connection *c, unsigned char *to, size_t size) {
#ifdef WITH_OPENSSL
    if (c->tls) { /* all records that came, as far as they fit */
        size_t got = 0;
        while (size - got >= 16384) {
            ssize_t more = tls_result(c, SSL_read(c->tls, to + got, (int)(size - got)));
            if (more <= 0) return got ? (ssize_t)got : more;
            got += more;
        }
        return got;
    }
#endif
    return recv(c->fd, to, size, 0);
}

static void write_all(Connection *c, const char *data, size_t size) {
    while (size) {
        ssize_t done = send_some(c, data, size);
        if (done < 0 && errno == EAGAIN) {
            struct pollfd until = {.fd = c->fd, .events = POLLOUT};
            poll(&until, 1, 100);
            continue;
        }
        if (done <= 0) fail("send");
        data += done;
        size -= done;
    }
}

/* Set the digits of a send; return its size. */
static int renew_send(char *frame, uint32_t opaque, unsigned long born) {
    long number = sent, each = topics ? number / topics : number;
    write_digits(frame + form.opaque, 10, opaque, 10);
    write_digits(frame + form.queue_id, 1, each % queues, 10);
    write_digits(frame + form.born, 13, born, 10);
    write_digits(frame + form.key, 12, number, 16);
    if (topics) write_digits(frame + form.topic, 5, number % topics, 10);
    if (deliver) write_digits(frame + form.deliver, 13, deliver + number % spread * 1000, 10);
#ifdef WITH_OPENSSL
    if (user) sign(frame);
#endif
    return form.size;
}

/* Write a request in every free slot, all in one piece. */
static void fill_slots(Connection *c) {
    size_t size = 0;
    unsigned long born = (unsigned long)time(NULL) * 1000;
    double begin = now();
    while (c->free_count && !(count && sent >= count)) {
        int slot = c->free_slots[--c->free_count];
        uint32_t opaque = FIRST_OPAQUE + c->round * MAX_DEPTH + slot;
        c->round = (c->round + 1) % ROUNDS;
        char *frame = c->requests + size;
        size += is_pull ? format_pull(frame, c, opaque) : renew_send(frame, opaque, born);
        c->expected = c->next;
        c->opaques[slot] = opaque;
        c->sent_at[slot] = begin;
        sent++;
    }
    if (size) write_all(c, c->requests, size);
}

/* -- responses */

/* Return the number behind a name, with or without quotes; -1 if there is none. */
static long field(const char *header, int size, const char *name, int name_size) {
    const char *at = memmem(header, size, name, name_size);
    if (at == NULL) return -1;
    at += name_size;
    return atol(*at == '"' ? at + 1 : at);
}
#define FIELD(header, size, name) field(header, size, "\"" name "\":", sizeof(name) + 2)

static void note_error(const char *header, int size) {
    errors++;
    if (!first_error[0]) snprintf(first_error, sizeof first_error, "%.*s", size, header);
}

/* Check the messages of a pull. */
static void read_messages(Connection *c, const unsigned char *at, const unsigned char *end) {
    bytes += end - at;
    while (at + 28 <= end) {
        long offset = (long)((uint64_t)read_u32(at + 20) << 32 | read_u32(at + 24));
        if (offset != c->expected) gaps++;
        c->expected = offset + 1;
        completed++;
        at += read_u32(at);
    }
}

static void response_read(Connection *c, const unsigned char *frame, uint32_t length, double t) {
    int size = read_u32(frame + 4) & 0xffffff;
    const char *header = (const char *)frame + 8;
    long code = FIELD(header, size, "code"), opaque = FIELD(header, size, "opaque");
    int slot = (int)((opaque - FIRST_OPAQUE) % MAX_DEPTH);
    if (opaque < FIRST_OPAQUE || slot >= depth || c->opaques[slot] != (uint32_t)opaque) {
        note_error(header, size);
        return;
    }
    c->opaques[slot] = 0;
    c->free_slots[c->free_count++] = slot;
    note_latency(t - c->sent_at[slot]);
    if (!is_pull) {
        completed++;
        bytes += body;
        if (code != 0) note_error(header, size);
        return;
    }
    c->next = 0;
    if (code == 0) {
        read_messages(c, frame + 8 + size, frame + 4 + length);
        long next = FIELD(header, size, "nextBeginOffset");
        if (next > 0) c->next = next;
    } else if (code < 19 || code > 21) {
        note_error(header, size);
    }
    c->due = t + pause_ms / 1e3;
}

static void bytes_arrived(Connection *c) {
    if (c->read_capacity - c->read_size < 65536) {
        c->read_capacity *= 2;
        c->read = realloc(c->read, c->read_capacity);
        if (c->read == NULL) fail("memory");
    }
    ssize_t got = receive_some(c, c->read + c->read_size, c->read_capacity - c->read_size);
    if (got < 0 && errno == EAGAIN) return;
    if (got <= 0) {
        fprintf(stderr, "the broker closed a connection\n");
        exit(1);
    }
    double t = now();
    c->read_size += got;
    size_t at = 0;
    while (c->read_size - at >= 4) {
        uint32_t length = read_u32(c->read + at);
        if (c->read_size - at - 4 < length) break;
        response_read(c, c->read + at, length, t);
        at += 4 + length;
    }
    if (at) memmove(c->read, c->read + at, c->read_size - at);
    c->read_size -= at;
}

/* -- the run */

static void connect_all(Connection *connections, int poller) {
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(port), .sin_addr = {htonl(INADDR_LOOPBACK)}};
    for (int i = 0; i < connection_count; i++) {
        Connection *c = connections + i;
        int slots = is_pull ? 1 : depth, one = 1;
        c->queue = i % queues;
        c->read_capacity = 1 << 18;
        c->read = malloc(c->read_capacity);
        c->free_slots = malloc(slots * sizeof *c->free_slots);
        c->opaques = calloc(depth, sizeof *c->opaques);
        c->sent_at = calloc(depth, sizeof *c->sent_at);
        c->requests = is_pull ? malloc(8 + HEADER_ROOM) : make_sends();
        for (int slot = slots - 1; slot >= 0; slot--) c->free_slots[c->free_count++] = slot;
        c->fd = socket(AF_INET, SOCK_STREAM, 0);
        if (connect(c->fd, (struct sockaddr *)&to, sizeof to)) fail("connect");
        setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
#ifdef WITH_OPENSSL
        if (uses_tls) begin_tls(c);
#endif
        struct epoll_event event = {.events = EPOLLIN, .data.ptr = c};
        if (epoll_ctl(poller, EPOLL_CTL_ADD, c->fd, &event)) fail("epoll");
    }
}

/* Pull again over the connections whose pause is over. */
static void continue_pulls(Connection *connections, double t) {
    for (int i = 0; i < connection_count; i++)
        if (connections[i].free_count && connections[i].due <= t) fill_slots(connections + i);
}

static double run(Connection *connections, int poller) {
    struct epoll_event events[MAX_EVENTS];
    double begin = now(), t = begin;
    for (int i = 0; i < connection_count; i++) fill_slots(connections + i);
    while (count ? completed < count : t - begin < seconds) {
        int ready = epoll_wait(poller, events, MAX_EVENTS, pause_ms ? 1 : 200);
        for (int i = 0; i < ready; i++) {
            Connection *c = events[i].data.ptr;
            bytes_arrived(c);
            if (c->free_count && !pause_ms) fill_slots(c);
        }
        t = now();
        if (pause_ms) continue_pulls(connections, t);
        if (count && t - begin > seconds) {
            fprintf(stderr, "%ld of %ld messages in %.0f s\n", completed, count, seconds);
            exit(1);
        }
    }
    return now() - begin;
}

/* A request without a response counts as waited for until the end. */
static void note_waiting(Connection *connections) {
    double t = now();
    for (int i = 0; i < connection_count; i++)
        for (int slot = 0; slot < depth; slot++)
            if (connections[i].opaques[slot] && t - connections[i].sent_at[slot] > worst)
                worst = t - connections[i].sent_at[slot];
}

static double cpu_seconds(void) {
    struct rusage used;
    getrusage(RUSAGE_SELF, &used);
    return used.ru_utime.tv_sec + used.ru_stime.tv_sec + (used.ru_utime.tv_usec + used.ru_stime.tv_usec) / 1e6;
}

static void parse(int argument_count, char **arguments) {
    if (argument_count < 2) {
        fprintf(stderr, "see the head of load.c\n");
        exit(2);
    }
    is_pull = !strcmp(arguments[1], "pull");
    for (int i = 2; i < argument_count; i++) {
        char *value = strchr(arguments[i], '=');
        if (value == NULL) fail(arguments[i]);
        *value++ = 0;
        const char *name = arguments[i];
        if (!strcmp(name, "topic")) topic = value;
        else if (!strcmp(name, "seconds")) seconds = atof(value);
        else if (!strcmp(name, "port")) port = atoi(value);
        else if (!strcmp(name, "connections")) connection_count = atoi(value);
        else if (!strcmp(name, "depth")) depth = atoi(value);
        else if (!strcmp(name, "body")) body = atoi(value);
        else if (!strcmp(name, "queues")) queues = atoi(value);
        else if (!strcmp(name, "topics")) topics = atoi(value);
#ifdef WITH_OPENSSL
        else if (!strcmp(name, "tls")) uses_tls = atoi(value);
        else if (!strcmp(name, "user")) user = value;
        else if (!strcmp(name, "secret")) secret = value;
#endif
        else if (!strcmp(name, "pause")) pause_ms = atoi(value);
        else if (!strcmp(name, "count")) count = atol(value);
        else if (!strcmp(name, "deliver")) deliver = atol(value);
        else if (!strcmp(name, "spread")) spread = atoi(value);
        else fail(name);
    }
    if (strlen(topic) > 127 || depth < 1 || depth > MAX_DEPTH || queues < 1 || queues > 10 || topics < 0 || topics > 100000 || spread < 1) {
        fprintf(stderr, "a topic has at most 127 letters; depth is 1 to %d, queues 1 to 10, topics up to 100000, spread 1 or more\n", MAX_DEPTH);
        exit(2);
    }
}

int main(int argument_count, char **arguments) {
    parse(argument_count, arguments);
#ifdef WITH_OPENSSL
    if (user) {
        if (secret == NULL || strlen(secret) > 64 || strlen(user) > 64 || topics || is_pull || deliver) {
            fprintf(stderr, "user needs secret, both of at most 64 letters, and sends to one topic, not timed\n");
            exit(2);
        }
        prepare_signatures();
    }
#endif
    int poller = epoll_create1(0);
    Connection *connections = calloc(connection_count, sizeof *connections);
    connect_all(connections, poller);
    double cpu = cpu_seconds(), elapsed = run(connections, poller);
    cpu = (cpu_seconds() - cpu) / elapsed;
    note_waiting(connections);
    printf("{\"rate\":%.1f,\"mb_per_s\":%.1f,\"p50\":%.1f,\"p99\":%.1f,\"p999\":%.1f,\"worst\":%.1f,\"errors\":%ld,"
           "\"gaps\":%ld,\"cpu\":%.2f}\n",
           completed / elapsed, bytes / elapsed / 1e6, percentile(.5), percentile(.99), percentile(.999), worst * 1e6,
           errors, gaps, cpu);
    if (first_error[0]) fprintf(stderr, "first error: %s\n", first_error);
    return errors || gaps ? 1 : 0;
}
