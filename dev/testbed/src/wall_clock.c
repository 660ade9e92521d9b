/*
 * The wall clock of one process: the machine's, plus nanoseconds that a test writes to a file.
 *
 * Loaded by LD_PRELOAD. All ways to read the clock are here that libc offers and the services use, and the
 * one wait until an instant of it: librdkafka's. It hears of a step within a second, where the kernel would
 * tell at once.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <threads.h>
#include <time.h>
#include <unistd.h>

#define SECOND_NS 1000000000LL

static const int64_t nothing;
static const volatile int64_t *ahead_ns = &nothing;
static int (*next_cnd_timedwait)(cnd_t *, mtx_t *, const struct timespec *);

__attribute__((constructor)) static void open_clock(void) {
    int file = open(getenv("TESTBED_WALL_CLOCK"), O_RDONLY | O_CLOEXEC);
    void *page = mmap(NULL, sizeof *ahead_ns, PROT_READ, MAP_SHARED, file, 0);
    if (page == MAP_FAILED) abort();
    close(file);
    ahead_ns = page;
    *(void **)&next_cnd_timedwait = dlsym(RTLD_NEXT, "cnd_timedwait");
}

static int64_t machine_ns(void) {
    struct timespec now;
    syscall(SYS_clock_gettime, CLOCK_REALTIME, &now);
    return now.tv_sec * SECOND_NS + now.tv_nsec;
}

static int64_t wall_ns(void) { return machine_ns() + *ahead_ns; }

static struct timespec timespec_of(int64_t ns) {
    return (struct timespec){.tv_sec = ns / SECOND_NS, .tv_nsec = ns % SECOND_NS};
}

int clock_gettime(clockid_t clock, struct timespec *now) {
    if (clock != CLOCK_REALTIME && clock != CLOCK_REALTIME_COARSE)
        return (int)syscall(SYS_clock_gettime, clock, now);
    *now = timespec_of(wall_ns());
    return 0;
}

int timespec_get(struct timespec *now, int base) {
    return base == TIME_UTC && clock_gettime(CLOCK_REALTIME, now) == 0 ? base : 0;
}

int gettimeofday(struct timeval *restrict now, void *restrict zone) {
    (void)zone;
    int64_t ns = wall_ns();
    *now = (struct timeval){.tv_sec = ns / SECOND_NS, .tv_usec = ns % SECOND_NS / 1000};
    return 0;
}

time_t time(time_t *now) {
    time_t seconds = wall_ns() / SECOND_NS;
    if (now != NULL) *now = seconds;
    return seconds;
}

int cnd_timedwait(cnd_t *condition, mtx_t *mutex, const struct timespec *deadline) {
    int64_t deadline_ns = deadline->tv_sec * SECOND_NS + deadline->tv_nsec;
    for (;;) {
        int64_t left_ns = deadline_ns - wall_ns();
        if (left_ns < 0) left_ns = 0;
        if (left_ns > SECOND_NS) left_ns = SECOND_NS;
        struct timespec until = timespec_of(machine_ns() + left_ns);
        int ended = next_cnd_timedwait(condition, mutex, &until);
        if (ended != thrd_timedout || deadline_ns <= wall_ns()) return ended;
    }
}
