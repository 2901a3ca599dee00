/* Loaded before libc: fails or slows the flushing of files while a file says so. For tests of a failing disk. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

static int flush(const char *name, int fd) {
  const char *broken = getenv("DISK_BROKEN"), *slow = getenv("DISK_SLOW");
  if (broken && access(broken, F_OK) == 0) {
    errno = EIO;
    return -1;
  }
  if (slow && access(slow, F_OK) == 0) usleep(50000);
  return ((int (*)(int))dlsym(RTLD_NEXT, name))(fd);
}

int fsync(int fd) { return flush("fsync", fd); }
int fdatasync(int fd) { return flush("fdatasync", fd); }
