/* A name server that is gone, for one process and its children.
 *
 *     cc -shared -fPIC -O1 -o wrong_names.so wrong_names.c
 *     WRONG_NAMES=control LD_PRELOAD=./wrong_names.so comfywear run …
 *
 * While the int64 in the file $WRONG_NAMES is not 0, no name resolves: getaddrinfo fails after so many milliseconds, as
 * when nobody answers its questions. Addresses in digits are none of a name server's business.
 */
#include "wrong.h"

#include <arpa/inet.h>
#include <dlfcn.h>
#include <netdb.h>

static volatile int64_t *wait_ms;

__attribute__((constructor)) static void find_control(void) { wait_ms = controlled("WRONG_NAMES", 1); }

int getaddrinfo(const char *restrict name, const char *restrict service, const struct addrinfo *restrict hints,
                struct addrinfo **restrict found) {
    static int (*real)(const char *, const char *, const struct addrinfo *, struct addrinfo **);
    unsigned char address[16];
    if (!real)
        *(void **)&real = dlsym(RTLD_NEXT, "getaddrinfo");
    if (!wait_ms || !*wait_ms || !name || inet_pton(AF_INET, name, address) == 1 ||
        inet_pton(AF_INET6, name, address) == 1)
        return real(name, service, hints, found);
    wait_for_ms(*wait_ms);
    return EAI_AGAIN;
}
