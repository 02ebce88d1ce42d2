/*
 * HLS load client: N connections (two per viewer in mode "viewers") on one thread, HTTP/1.1 keep-alive.
 *
 *   hls-load blocked PORT PATH COUNT RAMP WARMUP SECONDS   rounds: all wait for the same part; when all have it, all ask again
 *   hls-load viewers PORT PATH COUNT RAMP WARMUP SECONDS   each waits for part after part in the list, and on a second
 *                                                          connection for the part itself, asked for by its hint
 *   hls-load get     PORT PATH COUNT RAMP WARMUP SECONDS   each connection asks for PATH as fast as it is answered
 *
 * PATH is a low-latency media playlist, or any object for "get". Lateness counts from the first answer on any connection that tells
 * of a part or brings it. Prints "MEASURE" when the window begins and one line of JSON when it ends. Linux only.
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

#define HEAD_MAX 2048
#define LIST_MAX 16384
#define URI_MAX 128
/* Lateness in steps of 0.1 ms up to 10 s. */
#define STEPS 100000
/* Parts whose first announcement is remembered: minutes of them. */
#define PARTS 4096

enum mode { BLOCKED, VIEWERS, GET };

struct connection {
  int fd, is_list, is_closed, is_busy;
  struct connection *pair;
  uint32_t head_bytes, list_bytes;
  int64_t body_left;
  char head[HEAD_MAX];
  char *list;
  long msn, part; /* what was asked for */
  char wanted[URI_MAX], next[URI_MAX];
};

struct histogram {
  uint32_t counts[STEPS + 1];
  uint64_t total;
};

struct announcement {
  long msn, part;
  int64_t first_us, last_us;
  uint32_t answers;
};

static struct histogram list_late, part_late;
static struct announcement announcements[PARTS];
static enum mode mode;
static int is_measuring, epoll;
static uint64_t answers, bytes, errors;
static int answered_in_round;
static const char *path;
static char directory[256];
static char buffer[256 * 1024];

static int64_t now_us(void) {
  struct timespec ts;
  clock_gettime(CLOCK_MONOTONIC, &ts);
  return (int64_t)ts.tv_sec * 1000000 + ts.tv_nsec / 1000;
}

static void count(struct histogram *h, int64_t us) {
  int64_t step = us < 0 ? 0 : us / 100;
  h->counts[step > STEPS ? STEPS : step]++;
  h->total++;
}

static double percentile_ms(const struct histogram *h, double share) {
  uint64_t target = (uint64_t)(share * (double)h->total), seen = 0;
  for (int step = 0; step <= STEPS; step++) {
    seen += h->counts[step];
    if (seen > target || (seen == h->total && seen > 0)) return step / 10.0;
  }
  return -1;
}

static void ask(struct connection *c, const char *target) {
  char request[1024];
  int length = snprintf(request, sizeof request, "GET %s HTTP/1.1\r\nHost: localhost\r\n\r\n", target);
  c->head_bytes = 0;
  c->list_bytes = 0;
  c->body_left = -1;
  c->is_busy = 1;
  if (write(c->fd, request, (size_t)length) != length) errors++;
}

static void ask_list(struct connection *c) {
  char target[512];
  if (c->msn < 0) snprintf(target, sizeof target, "%s", path);
  else snprintf(target, sizeof target, "%s?_HLS_msn=%ld&_HLS_part=%ld", path, c->msn, c->part);
  ask(c, target);
}

static void ask_part(struct connection *c) {
  char target[512];
  snprintf(target, sizeof target, "%s%s", directory, c->wanted);
  ask(c, target);
}

static struct announcement *announcement_of(long msn, long part) {
  return &announcements[((unsigned long)msn * 61 + (unsigned long)part) % PARTS];
}

/* When a part was first heard of, by its list or by itself. */
static struct announcement *heard_of(long msn, long part, int64_t us) {
  struct announcement *a = announcement_of(msn, part);
  if (a->msn != msn || a->part != part) *a = (struct announcement){.msn = msn, .part = part, .first_us = us};
  return a;
}

static struct announcement *announced(long msn, long part, int64_t us) {
  struct announcement *a = heard_of(msn, part, us);
  a->last_us = us;
  a->answers++;
  return a;
}

static int read_number(const char *uri, long *msn, long *part) {
  const char *dash = strrchr(uri, '-');
  return dash != NULL && sscanf(dash + 1, "%ld.%ld.m4s", msn, part) == 2;
}

static int quoted_uri(const char *line, char *out) {
  const char *at = strstr(line, "URI=\"");
  const char *end = at == NULL ? NULL : strchr(at + 5, '"');
  if (end == NULL || end - at - 5 >= URI_MAX) return 0;
  memcpy(out, at + 5, (size_t)(end - at - 5));
  out[end - at - 5] = 0;
  return 1;
}

static void list_came(struct connection *c) {
  int64_t us = now_us();
  c->list[c->list_bytes] = 0;
  char hint[URI_MAX];
  const char *hinted = strstr(c->list, "#EXT-X-PRELOAD-HINT:");
  if (hinted == NULL || !quoted_uri(hinted, hint)) {
    errors++;
    c->msn = -1;
    return;
  }
  if (c->msn >= 0) {
    struct announcement *a = announced(c->msn, c->part, us);
    if (is_measuring) count(&list_late, us - a->first_us);
  }
  if (!read_number(hint, &c->msn, &c->part)) errors++;
  if (mode == BLOCKED) {
    /* the first part of the segment after the next one: a round is over before it comes */
    c->msn += 1;
    c->part = 0;
  }
  if (mode != VIEWERS) return;
  struct connection *media = c->pair;
  if (media->is_busy) {
    if (media->next[0] != 0) errors++; /* two parts behind */
    strcpy(media->next, hint);
    return;
  }
  strcpy(media->wanted, hint);
  ask_part(media);
}

static void part_came(struct connection *c) {
  long msn, part;
  int64_t us = now_us();
  if (read_number(c->wanted, &msn, &part)) {
    struct announcement *a = heard_of(msn, part, us);
    if (is_measuring) count(&part_late, us - a->first_us);
  }
  if (c->next[0] == 0) return;
  strcpy(c->wanted, c->next);
  c->next[0] = 0;
  ask_part(c);
}

static void answer_came(struct connection *c) {
  c->is_busy = 0;
  if (is_measuring) answers++;
  if (memcmp(c->head + 9, "200", 3) != 0) errors++;
  if (mode == GET) {
    ask(c, path);
  } else if (c->is_list) {
    list_came(c);
    if (mode == BLOCKED) answered_in_round++;
    else ask_list(c);
  } else {
    part_came(c);
  }
}

static void parse(struct connection *c, const char *at, size_t length) {
  while (length > 0) {
    if (c->body_left < 0) {
      /* byte by byte only through the head */
      c->head[c->head_bytes++] = *at++;
      length--;
      if (c->head_bytes == HEAD_MAX - 1) {
        errors++;
        c->head_bytes = 0;
      }
      if (c->head_bytes < 4 || memcmp(c->head + c->head_bytes - 4, "\r\n\r\n", 4) != 0) continue;
      c->head[c->head_bytes] = 0;
      const char *field = strcasestr(c->head, "\r\ncontent-length:");
      c->body_left = field == NULL ? 0 : atoll(field + 17);
    } else {
      size_t taken = length < (size_t)c->body_left ? length : (size_t)c->body_left;
      if (c->is_list && c->list_bytes + taken < LIST_MAX) {
        memcpy(c->list + c->list_bytes, at, taken);
        c->list_bytes += (uint32_t)taken;
      }
      at += taken;
      length -= taken;
      c->body_left -= (int64_t)taken;
    }
    if (c->body_left == 0) answer_came(c);
  }
}

static int open_connection(struct connection *c, int port) {
  c->fd = socket(AF_INET, SOCK_STREAM, 0);
  if (c->fd < 0) return -1;
  int one = 1;
  setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (connect(c->fd, (struct sockaddr *)&address, sizeof address) < 0) return -1;
  c->body_left = -1;
  c->msn = -1;
  struct epoll_event event = {.events = EPOLLIN, .data.ptr = c};
  return epoll_ctl(epoll, EPOLL_CTL_ADD, c->fd, &event);
}

/* The body of a part or segment is let go in the kernel: copying it would make this client the slower side of a burst. */
static int discard(struct connection *c) {
  if (c->is_list || c->body_left <= 0) return 0;
  ssize_t got = recv(c->fd, NULL, (size_t)c->body_left, MSG_DONTWAIT | MSG_TRUNC);
  if (got <= 0) return 0;
  if (is_measuring) bytes += (uint64_t)got;
  c->body_left -= got;
  if (c->body_left == 0) answer_came(c);
  return 1;
}

static void receive(struct connection *c) {
  if (discard(c)) return;
  size_t wanted = !c->is_list ? 1024 : sizeof buffer;
  ssize_t got = recv(c->fd, buffer, wanted, MSG_DONTWAIT);
  if (got < 0 && (errno == EAGAIN || errno == EINTR)) return;
  if (got <= 0) {
    c->is_closed = 1;
    close(c->fd);
    return;
  }
  if (is_measuring) bytes += (uint64_t)got;
  parse(c, buffer, (size_t)got);
}

static double cpu_seconds(void) {
  struct rusage usage;
  getrusage(RUSAGE_SELF, &usage);
  return (double)usage.ru_utime.tv_sec + (double)usage.ru_stime.tv_sec +
         (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

static int open_viewer(struct connection *list, struct connection *media, int port) {
  list->is_list = mode != GET;
  if (list->is_list) list->list = malloc(LIST_MAX);
  if (open_connection(list, port) < 0) return -1;
  if (mode == VIEWERS) {
    list->pair = media;
    if (open_connection(media, port) < 0) return -1;
  }
  if (mode == GET) ask(list, path);
  else ask_list(list);
  return 0;
}

int main(int argc, char **argv) {
  if (argc != 8) return 2;
  mode = strcmp(argv[1], "get") == 0 ? GET : strcmp(argv[1], "viewers") == 0 ? VIEWERS : BLOCKED;
  struct rlimit files;
  getrlimit(RLIMIT_NOFILE, &files);
  files.rlim_cur = files.rlim_max;
  setrlimit(RLIMIT_NOFILE, &files);
  int port = atoi(argv[2]), total = atoi(argv[4]), ramp = atoi(argv[5]);
  path = argv[3];
  const char *slash = strrchr(path, '/');
  snprintf(directory, sizeof directory, "%.*s", (int)(slash - path + 1), path);
  double warmup = atof(argv[6]), seconds = atof(argv[7]);
  struct connection *lists = calloc((size_t)total, sizeof *lists);
  struct connection *medias = calloc((size_t)total, sizeof *medias);
  epoll = epoll_create1(0);
  int opened = 0, failed = 0;
  int64_t start = now_us(), ready = 0, began = 0;
  double cpu_began = 0;
  struct epoll_event events[512];
  for (;;) {
    int64_t now = now_us();
    while (opened < total && opened <= (now - start) / 1000 * ramp / 1000) {
      if (open_viewer(&lists[opened], &medias[opened], port) < 0) failed++;
      opened++;
    }
    if (opened == total && ready == 0) ready = now;
    if (ready > 0 && began == 0 && (double)(now - ready) >= warmup * 1e6) {
      began = now;
      cpu_began = cpu_seconds();
      memset(announcements, 0, sizeof announcements);
      is_measuring = 1;
      puts("MEASURE");
      fflush(stdout);
    }
    if (began > 0 && (double)(now - began) >= seconds * 1e6) break;
    int ready_count = epoll_wait(epoll, events, 512, opened < total ? 1 : 20);
    for (int i = 0; i < ready_count; i++) receive(events[i].data.ptr);
    if (mode == BLOCKED && opened == total && answered_in_round >= total) {
      answered_in_round = 0;
      long msn = 0; /* all ask for the same: what the last answered knows */
      for (int i = 0; i < total; i++) msn = lists[i].msn > msn ? lists[i].msn : msn;
      for (int i = 0; i < total; i++) {
        lists[i].msn = msn;
        ask_list(&lists[i]);
      }
    }
  }
  double elapsed = (double)(now_us() - began) / 1e6;
  int closed = 0;
  for (int i = 0; i < total; i++) closed += lists[i].is_closed + medias[i].is_closed;
  /* How long until everyone has the answer: over the parts that (nearly) everyone was told of. */
  static struct histogram all;
  for (int i = 0; i < PARTS; i++) {
    struct announcement *a = &announcements[i];
    if (a->answers >= (uint32_t)total * 99 / 100 && a->answers > 0) count(&all, a->last_us - a->first_us);
  }
  printf("{\"count\":%d,\"failed\":%d,\"closed\":%d,\"errors\":%llu,\"answersPerSecond\":%.1f,\"mbps\":%.1f,"
         "\"listP50Ms\":%.1f,\"listP99Ms\":%.1f,\"allAnsweredP50Ms\":%.1f,\"allAnsweredMaxMs\":%.1f,\"releases\":%llu,"
         "\"partP50Ms\":%.1f,\"partP99Ms\":%.1f,\"partMaxMs\":%.1f,\"parts\":%llu,\"clientCpu\":%.4f,\"seconds\":%.2f}\n",
         total, failed, closed, (unsigned long long)errors, (double)answers / elapsed, (double)bytes * 8 / 1e6 / elapsed,
         percentile_ms(&list_late, 0.5), percentile_ms(&list_late, 0.99), percentile_ms(&all, 0.5), percentile_ms(&all, 1),
         (unsigned long long)all.total, percentile_ms(&part_late, 0.5), percentile_ms(&part_late, 0.99),
         percentile_ms(&part_late, 1), (unsigned long long)part_late.total, (cpu_seconds() - cpu_began) / elapsed, elapsed);
  return 0;
}
