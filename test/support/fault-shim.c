// Makes fsync, fdatasync and writes of a process fail on demand: cc -shared -fPIC -o fault-shim.so fault-shim.c -ldl
// FAULT_PATH: part of the names of the files that are meant. FAULT_CONTROL: a file with what fails, such as "fsync 5" (an errno) or
// "write 28 once"; without it nothing does. "hang 1": syncs stand still for as long as it says so. FAULT_TRACE: a file that gets a line for
// each sync: its errno (0: it was done), and the file.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static ssize_t (*real_write)(int, const void *, size_t);

static int nameOf(int fd, char *name, size_t size) {
  const char *wanted = getenv("FAULT_PATH");
  char link[64];
  if (!wanted) return 0;
  snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  ssize_t length = readlink(link, name, size - 1);
  if (length <= 0) return 0;
  name[length] = 0;
  return strstr(name, wanted) != NULL;
}

static int faultOf(const char *operation) {
  const char *control = getenv("FAULT_CONTROL");
  char text[64] = {0}, kind[16], once[8] = {0};
  int number = 0;
  int fd = control ? open(control, O_RDONLY) : -1;
  if (fd < 0) return 0;
  ssize_t length = read(fd, text, sizeof text - 1);
  close(fd);
  if (length <= 0 || sscanf(text, "%15s %d %7s", kind, &number, once) < 2 || strcmp(kind, operation)) return 0;
  if (!strcmp(once, "once")) unlink(control);
  return number;
}

static void trace(int number, const char *name) {
  const char *path = getenv("FAULT_TRACE");
  const char *base = strrchr(name, '/');
  char line[256];
  int fd = path ? open(path, O_WRONLY | O_APPEND | O_CREAT, 0600) : -1;
  if (fd < 0) return;
  int length = snprintf(line, sizeof line, "%d %s\n", number, base ? base + 1 : name);
  if (!real_write) real_write = dlsym(RTLD_NEXT, "write");
  if (real_write(fd, line, length) < 0) abort();
  close(fd);
}

static int syncFault(int fd) {
  char name[4096];
  if (!nameOf(fd, name, sizeof name)) return 0;
  while (faultOf("hang")) usleep(10000);
  int number = faultOf("fsync");
  trace(number, name);
  return number;
}

static int writeFault(int fd) {
  char name[4096];
  return nameOf(fd, name, sizeof name) ? faultOf("write") : 0;
}

#define WRAP(type, function, parameters, arguments, fault)                                                                        \
  type function parameters {                                                                                                      \
    static type(*real) parameters;                                                                                                \
    if (!real) real = dlsym(RTLD_NEXT, #function);                                                                                \
    int number = fault(fd);                                                                                                       \
    if (number) {                                                                                                                 \
      errno = number;                                                                                                             \
      return -1;                                                                                                                  \
    }                                                                                                                             \
    return real arguments;                                                                                                        \
  }

WRAP(int, fsync, (int fd), (fd), syncFault)
WRAP(int, fdatasync, (int fd), (fd), syncFault)
WRAP(ssize_t, pwrite, (int fd, const void *data, size_t size, off_t offset), (fd, data, size, offset), writeFault)
WRAP(ssize_t, pwrite64, (int fd, const void *data, size_t size, off64_t offset), (fd, data, size, offset), writeFault)
WRAP(ssize_t, write, (int fd, const void *data, size_t size), (fd, data, size), writeFault)
