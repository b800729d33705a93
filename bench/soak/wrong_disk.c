/* A disk that is slow to sync or became read-only, below $WRONG_DISK_UNDER, for one process and its children.
 *
 *     cc -shared -fPIC -O1 -o wrong_disk.so wrong_disk.c
 *     WRONG_DISK=control WRONG_DISK_UNDER=/folder LD_PRELOAD=./wrong_disk.so comfywear run …
 *
 * The file $WRONG_DISK holds two int64: how many milliseconds each fsync takes longer, and whether nothing can be
 * written (EROFS, also through files that are open already). The latter is what a file system does to itself after an
 * error (errors=remount-ro); `mount -o remount,ro` is refused while a file is open for writing.
 */
#include "wrong.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

static volatile int64_t *wrong; /* milliseconds of an fsync; read-only */
static const char *under;

__attribute__((constructor)) static void find_control(void) {
    under = getenv("WRONG_DISK_UNDER");
    wrong = under ? controlled("WRONG_DISK", 2) : NULL;
}

static int is_under(const char *path) { return strncmp(path, under, strlen(under)) == 0; }

static int file_is_under(int file) {
    char link[32], path[4096];
    snprintf(link, sizeof link, "/proc/self/fd/%d", file);
    ssize_t length = readlink(link, path, sizeof path - 1);
    if (length < 0)
        return 0;
    path[length] = 0;
    return is_under(path);
}

static int refused(int folder, const char *path) {
    if (!wrong || !wrong[1] || !path)
        return 0;
    if (path[0] == '/' ? !is_under(path) : folder == AT_FDCWD || !file_is_under(folder))
        return 0;
    errno = EROFS;
    return 1;
}

static int file_refused(int file) {
    if (!wrong || !wrong[1] || !file_is_under(file))
        return 0;
    errno = EROFS;
    return 1;
}

static void wait_for_disk(int file) {
    if (wrong && wrong[0] && file_is_under(file))
        wait_for_ms(wrong[0]);
}

static int open_at(int folder, const char *path, int flags, mode_t mode) {
    int writes = (flags & O_ACCMODE) != O_RDONLY || flags & O_TRUNC;
    int creates = flags & O_CREAT && syscall(SYS_faccessat, folder, path, F_OK) != 0;
    if ((writes || creates) && refused(folder, path))
        return -1;
    return (int)syscall(SYS_openat, folder, path, flags, mode);
}

#define MODE_OF(flags)                                                                                                 \
    mode_t mode = 0;                                                                                                   \
    if ((flags) & (O_CREAT | __O_TMPFILE)) {                                                                           \
        va_list rest;                                                                                                  \
        va_start(rest, flags);                                                                                         \
        mode = va_arg(rest, mode_t);                                                                                   \
        va_end(rest);                                                                                                  \
    }

int open(const char *path, int flags, ...) {
    MODE_OF(flags)
    return open_at(AT_FDCWD, path, flags, mode);
}

int open64(const char *path, int flags, ...) {
    MODE_OF(flags)
    return open_at(AT_FDCWD, path, flags, mode);
}

int openat(int folder, const char *path, int flags, ...) {
    MODE_OF(flags)
    return open_at(folder, path, flags, mode);
}

int openat64(int folder, const char *path, int flags, ...) {
    MODE_OF(flags)
    return open_at(folder, path, flags, mode);
}

ssize_t write(int file, const void *data, size_t size) {
    return file_refused(file) ? -1 : syscall(SYS_write, file, data, size);
}

ssize_t pwrite64(int file, const void *data, size_t size, off64_t at) {
    return file_refused(file) ? -1 : syscall(SYS_pwrite64, file, data, size, at);
}

ssize_t pwrite(int file, const void *data, size_t size, off_t at) { return pwrite64(file, data, size, at); }

int ftruncate64(int file, off64_t size) { return file_refused(file) ? -1 : (int)syscall(SYS_ftruncate, file, size); }

int ftruncate(int file, off_t size) { return ftruncate64(file, size); }

int rename(const char *from, const char *to) {
    return refused(AT_FDCWD, to) ? -1 : (int)syscall(SYS_renameat2, AT_FDCWD, from, AT_FDCWD, to, 0);
}

int unlink(const char *path) { return refused(AT_FDCWD, path) ? -1 : (int)syscall(SYS_unlinkat, AT_FDCWD, path, 0); }

int mkdir(const char *path, mode_t mode) {
    return refused(AT_FDCWD, path) ? -1 : (int)syscall(SYS_mkdirat, AT_FDCWD, path, mode);
}

int fsync(int file) {
    wait_for_disk(file);
    return (int)syscall(SYS_fsync, file);
}

int fdatasync(int file) {
    wait_for_disk(file);
    return (int)syscall(SYS_fdatasync, file);
}
