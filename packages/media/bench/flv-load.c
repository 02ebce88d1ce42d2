/*
 * HTTP-FLV load client: N connections on one thread, latency by the capture clock in the video tags.
 * Usage: flv-load PORT PATH VIEWERS RAMP_PER_SECOND WARMUP_SECONDS MEASURE_SECONDS [STUCK [STREAMS]]
 * STUCK more connections ask and never read; they stand in no figure. With STREAMS, "%d" in PATH is a number below it.
 * Prints "MEASURE" when the window begins and one line of JSON when it ends. Linux only.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define TAG_HEADER 11
#define HEAD_MAX (TAG_HEADER + 160)
#define LATENCY_MAX 60000
#define STALL_MS 1000

/* CAPTURE_TIME_SEI_UUID of media-formats; has no zero byte, so it stands unescaped. */
static const uint8_t CAPTURE_UUID[16] = {0x5e, 0x1f, 0x9a, 0xc4, 0x27, 0xd3, 0x4b, 0x68,
                                         0x9c, 0x41, 0xb7, 0xe2, 0x6a, 0x35, 0xf0, 0xd1};

enum phase { HTTP_HEAD, FLV_HEAD, TAG_HEAD, TAG_SCAN, SKIP };

struct viewer {
  int fd;
  enum phase phase;
  uint32_t filled, wanted, skip, tag_bytes;
  int is_ok, is_closed;
  uint64_t bytes_in_window;
  int64_t last_data_ms;
  int stalls;
  uint8_t head[HEAD_MAX];
};

static uint32_t latency_counts[LATENCY_MAX + 1];
static uint64_t latency_total;
static int is_measuring;
static char buffer[256 * 1024];

static int64_t clock_ms(clockid_t id) {
  struct timespec ts;
  clock_gettime(id, &ts);
  return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

/* Undoes emulation prevention over the eight bytes of the clock. */
static int64_t read_clock(const uint8_t *bytes, size_t available) {
  uint64_t value = 0;
  int taken = 0, zeros = 0;
  for (size_t i = 0; i < available && taken < 8; i++) {
    if (zeros >= 2 && bytes[i] == 3) {
      zeros = 0;
      continue;
    }
    value = value << 8 | bytes[i];
    zeros = bytes[i] == 0 ? zeros + 1 : 0;
    taken++;
  }
  return taken == 8 ? (int64_t)value : -1;
}

static void scan_tag(const struct viewer *v, int64_t wall_ms) {
  if (!is_measuring || v->head[0] != 9) return;
  const uint8_t *payload = v->head + TAG_HEADER;
  size_t length = v->filled - TAG_HEADER;
  const uint8_t *at = memmem(payload, length, CAPTURE_UUID, 16);
  if (at == NULL) return;
  int64_t capture_ms = read_clock(at + 16, (size_t)(payload + length - at - 16));
  if (capture_ms < 0) return;
  int64_t latency = wall_ms - capture_ms;
  if (latency < 0) latency = 0;
  if (latency > LATENCY_MAX) latency = LATENCY_MAX;
  latency_counts[latency]++;
  latency_total++;
}

static uint32_t take(struct viewer *v, const char *bytes, uint32_t available) {
  uint32_t missing = v->wanted - v->filled;
  uint32_t taken = available < missing ? available : missing;
  memcpy(v->head + v->filled, bytes, taken);
  v->filled += taken;
  return taken;
}

static void want(struct viewer *v, enum phase phase, uint32_t bytes) {
  v->phase = phase;
  v->wanted = bytes;
}

static void parse(struct viewer *v, const char *bytes, uint32_t length, int64_t wall_ms) {
  uint32_t at = 0;
  while (at < length) {
    switch (v->phase) {
      case HTTP_HEAD: {
        /* filled counts how much of CR LF CR LF was seen; head keeps the status line's start */
        char c = bytes[at++];
        if (v->skip < 12) v->head[v->skip] = (uint8_t)c;
        v->skip++;
        v->filled = c == "\r\n\r\n"[v->filled] ? v->filled + 1 : (c == '\r' ? 1 : 0);
        if (v->filled == 4) {
          v->is_ok = memcmp(v->head + 9, "200", 3) == 0;
          v->filled = 0;
          want(v, FLV_HEAD, 13);
        }
        break;
      }
      case FLV_HEAD:
        at += take(v, bytes + at, length - at);
        if (v->filled == v->wanted) {
          v->filled = 0;
          want(v, TAG_HEAD, TAG_HEADER);
        }
        break;
      case TAG_HEAD:
        at += take(v, bytes + at, length - at);
        if (v->filled == v->wanted) {
          v->tag_bytes = (uint32_t)v->head[1] << 16 | (uint32_t)v->head[2] << 8 | v->head[3];
          uint32_t scan = v->tag_bytes < HEAD_MAX - TAG_HEADER ? v->tag_bytes : HEAD_MAX - TAG_HEADER;
          v->skip = v->tag_bytes - scan + 4;
          want(v, TAG_SCAN, TAG_HEADER + scan);
        }
        break;
      case TAG_SCAN:
        at += take(v, bytes + at, length - at);
        if (v->filled == v->wanted) v->phase = SKIP;
        break;
      case SKIP: {
        uint32_t skipped = length - at < v->skip ? length - at : v->skip;
        v->skip -= skipped;
        at += skipped;
        if (v->skip == 0) {
          scan_tag(v, wall_ms); /* the whole tag has arrived now */
          v->filled = 0;
          want(v, TAG_HEAD, TAG_HEADER);
        }
        break;
      }
    }
  }
}

/* Without an epoll (-1) the connection asks and never reads. */
static int open_viewer(int epoll, struct viewer *v, int port, const char *path, int stream) {
  v->fd = socket(AF_INET, SOCK_STREAM, 0);
  if (v->fd < 0) return -1;
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (connect(v->fd, (struct sockaddr *)&address, sizeof address) < 0) return -1;
  char target[256], request[512];
  snprintf(target, sizeof target, path, stream); /* the path is the benchmark's own */
  int length = snprintf(request, sizeof request, "GET %s HTTP/1.0\r\nHost: localhost\r\n\r\n", target);
  if (write(v->fd, request, (size_t)length) != length) return -1;
  v->last_data_ms = clock_ms(CLOCK_MONOTONIC);
  if (epoll < 0) return 0;
  struct epoll_event event = {.events = EPOLLIN, .data.ptr = v};
  return epoll_ctl(epoll, EPOLL_CTL_ADD, v->fd, &event);
}

static void receive(struct viewer *v) {
  ssize_t got = recv(v->fd, buffer, sizeof buffer, MSG_DONTWAIT);
  if (got < 0 && (errno == EAGAIN || errno == EINTR)) return;
  if (got <= 0) {
    v->is_closed = 1;
    close(v->fd);
    return;
  }
  int64_t now = clock_ms(CLOCK_MONOTONIC);
  if (is_measuring) {
    v->bytes_in_window += (uint64_t)got;
    if (now - v->last_data_ms > STALL_MS) v->stalls++;
  }
  v->last_data_ms = now;
  parse(v, buffer, (uint32_t)got, clock_ms(CLOCK_REALTIME));
}

static double cpu_seconds(void) {
  struct rusage usage;
  getrusage(RUSAGE_SELF, &usage);
  return (double)usage.ru_utime.tv_sec + (double)usage.ru_stime.tv_sec +
         (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

static int percentile(double share) {
  uint64_t target = (uint64_t)(share * (double)latency_total), seen = 0;
  for (int ms = 0; ms <= LATENCY_MAX; ms++) {
    seen += latency_counts[ms];
    if (seen > target || (seen == latency_total && seen > 0)) return ms;
  }
  return -1;
}

static int by_bytes(const void *a, const void *b) {
  uint64_t x = ((const struct viewer *)a)->bytes_in_window, y = ((const struct viewer *)b)->bytes_in_window;
  return x < y ? -1 : x > y;
}

int main(int argc, char **argv) {
  if (argc < 7 || argc > 9) return 2;
  struct rlimit files;
  getrlimit(RLIMIT_NOFILE, &files);
  files.rlim_cur = files.rlim_max;
  setrlimit(RLIMIT_NOFILE, &files);
  int port = atoi(argv[1]), count = atoi(argv[3]), ramp = atoi(argv[4]);
  double warmup = atof(argv[5]), seconds = atof(argv[6]);
  int stuck = argc > 7 ? atoi(argv[7]) : 0, streams = argc > 8 ? atoi(argv[8]) : 1;
  struct viewer *viewers = calloc((size_t)count, sizeof *viewers);
  int epoll = epoll_create1(0), opened = 0, failed = 0;
  int64_t start = clock_ms(CLOCK_MONOTONIC), ready = 0, began = 0;
  double cpu_began = 0;
  struct epoll_event events[512];
  for (int i = 0; i < stuck; i++) {
    struct viewer never_reads = {0};
    if (open_viewer(-1, &never_reads, port, argv[2], i % streams) < 0) failed++;
  }
  for (;;) {
    int64_t now = clock_ms(CLOCK_MONOTONIC);
    while (opened < count && opened <= (now - start) * ramp / 1000) {
      if (open_viewer(epoll, &viewers[opened], port, argv[2], opened % streams) < 0) failed++;
      opened++;
    }
    if (opened == count && ready == 0) ready = now;
    if (ready > 0 && began == 0 && (double)(now - ready) >= warmup * 1000) {
      for (int i = 0; i < count; i++) viewers[i].last_data_ms = now;
      began = now;
      cpu_began = cpu_seconds();
      is_measuring = 1;
      puts("MEASURE");
      fflush(stdout);
    }
    if (began > 0 && (double)(now - began) >= seconds * 1000) break;
    int ready_count = epoll_wait(epoll, events, 512, opened < count ? 1 : 20);
    for (int i = 0; i < ready_count; i++) receive(events[i].data.ptr);
  }
  int64_t end = clock_ms(CLOCK_MONOTONIC);
  double elapsed = (double)(end - began) / 1000;
  int stalls = 0, stalled = 0, without = 0, closed = 0, refused = 0;
  uint64_t bytes = 0;
  for (int i = 0; i < count; i++) {
    struct viewer *v = &viewers[i];
    if (!v->is_closed && end - v->last_data_ms > STALL_MS) v->stalls++;
    stalls += v->stalls;
    stalled += v->stalls > 0;
    without += v->bytes_in_window == 0;
    closed += v->is_closed;
    refused += !v->is_ok;
    bytes += v->bytes_in_window;
  }
  qsort(viewers, (size_t)count, sizeof *viewers, by_bytes);
  double to_mbps = 8 / 1e6 / elapsed;
  printf("{\"viewers\":%d,\"failed\":%d,\"refused\":%d,\"closed\":%d,\"withoutData\":%d,\"stalls\":%d,"
         "\"stalledViewers\":%d,\"mbps\":%.1f,\"mbpsMedian\":%.3f,\"mbpsMin\":%.3f,\"samples\":%llu,"
         "\"p50Ms\":%d,\"p95Ms\":%d,\"p99Ms\":%d,\"maxMs\":%d,\"clientCpu\":%.4f,\"seconds\":%.2f}\n",
         count, failed, refused, closed, without, stalls, stalled, (double)bytes * to_mbps,
         (double)viewers[count / 2].bytes_in_window * to_mbps, (double)viewers[0].bytes_in_window * to_mbps,
         (unsigned long long)latency_total, percentile(0.5), percentile(0.95), percentile(0.99), percentile(1),
         (cpu_seconds() - cpu_began) / elapsed, elapsed);
  return 0;
}
