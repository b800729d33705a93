/* A wall clock that is wrong by the seconds in the file $WRONG_CLOCK (one int64), for one process and its children.
 *
 *     cc -shared -fPIC -O1 -o wrong_clock.so wrong_clock.c
 *     WRONG_CLOCK=offset LD_PRELOAD=./wrong_clock.so comfywear run …
 *
 * The monotonic clock is left alone, as when somebody or NTP sets the clock of a running machine.
 */
#include "wrong.h"

#include <sys/time.h>

static volatile int64_t *offset;

__attribute__((constructor)) static void find_offset(void) { offset = controlled("WRONG_CLOCK", 1); }

int clock_gettime(clockid_t which, struct timespec *now) {
    int result = (int)syscall(SYS_clock_gettime, which, now);
    if (result == 0 && offset && (which == CLOCK_REALTIME || which == CLOCK_REALTIME_COARSE))
        now->tv_sec += *offset;
    return result;
}

int gettimeofday(struct timeval *restrict now, void *restrict zone) {
    struct timespec precise;
    (void)zone;
    clock_gettime(CLOCK_REALTIME, &precise);
    now->tv_sec = precise.tv_sec;
    now->tv_usec = precise.tv_nsec / 1000;
    return 0;
}

time_t time(time_t *where) {
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    if (where)
        *where = now.tv_sec;
    return now.tv_sec;
}
