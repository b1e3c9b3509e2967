/* SPDX-License-Identifier: MIT */
/* See process.h. */
#include "sys/process.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <time.h>
#include <unistd.h>

#if __has_include(<sys/single_threaded.h>)
#include <sys/single_threaded.h>
#define HAVE_SINGLE_THREADED
#endif

#ifndef MADV_WIPEONFORK
#define MADV_WIPEONFORK 18
#endif

static pthread_mutex_t self_lock = PTHREAD_MUTEX_INITIALIZER;
static struct ferryi_identity self;
static uint32_t self_generation;

/* --- generations ------------------------------------------------------- */

static pthread_once_t page_once = PTHREAD_ONCE_INIT;
static uint32_t *page;	     /* wiped to 0 in a child */
static uint32_t generations; /* copied to a child */

static void in_child(void)
{
	*page = 0; /* kernels and emulators without MADV_WIPEONFORK */
	pthread_mutex_init(&self_lock, NULL);
}

static void make_page(void)
{
	static uint32_t fallback;
	void *p = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (p != MAP_FAILED)
		madvise(p, 4096, MADV_WIPEONFORK);
	pthread_atfork(NULL, NULL, in_child);
	/* last: who sees it need not ask pthread_once() */
	__atomic_store_n(&page, p == MAP_FAILED ? &fallback : p,
			 __ATOMIC_RELEASE);
}

bool ferryi_is_alone(void)
{
#ifdef HAVE_SINGLE_THREADED
	return __libc_single_threaded;
#else
	return false;
#endif
}

uint32_t ferryi_generation(void)
{
	uint32_t *p = __atomic_load_n(&page, __ATOMIC_ACQUIRE);
	uint32_t now, next, zero = 0;

	if (!p) {
		pthread_once(&page_once, make_page);
		p = page;
	}
	now = __atomic_load_n(p, __ATOMIC_ACQUIRE);
	if (now)
		return now;
	next = __atomic_add_fetch(&generations, 1, __ATOMIC_RELAXED);
	if (__atomic_compare_exchange_n(p, &zero, next, false, __ATOMIC_ACQ_REL,
					__ATOMIC_ACQUIRE))
		return next;
	return zero;
}

/* --- identity ---------------------------------------------------------- */

/* What proc(5) says in the fields 3, 9, 22 and 31 of /proc/PID/stat. */
struct stat_line {
	char state;
	uint64_t flags, start_time, pending;
};

static bool read_stat(pid_t pid, struct stat_line *out)
{
	char path[48], text[1024], *p;
	uint64_t field[32] = { 0 };
	ssize_t n;
	int fd;

	/* Its first thread says the same, and an emulator (qemu-user) that
	 * makes up its own /proc/PID/stat does not make up this one. */
	snprintf(path, sizeof path, "/proc/%d/task/%d/stat", (int)pid,
		 (int)pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return false;
	n = read(fd, text, sizeof text - 1);
	close(fd);
	if (n <= 0)
		return false;
	text[n] = 0;
	p = strrchr(text, ')'); /* the name before it may hold anything */
	if (!p || strlen(p) < 4)
		return false;
	out->state = p[2];
	p += 3;
	for (int i = 4; i <= 31 && *p; i++)
		field[i] = strtoull(p, &p, 10);
	out->flags = field[9];
	out->start_time = field[22];
	out->pending = field[31];
	return true;
}

uint64_t ferryi_start_time(pid_t pid)
{
	struct stat_line s;

	return read_stat(pid, &s) ? s.start_time : 0;
}

int64_t ferryi_started_at(pid_t pid)
{
	uint64_t ticks = ferryi_start_time(pid);
	struct timespec wall, boot;

	if (!ticks || clock_gettime(CLOCK_REALTIME, &wall) != 0 ||
	    clock_gettime(CLOCK_BOOTTIME, &boot) != 0)
		return 0;
	return wall.tv_sec - boot.tv_sec +
	       (int64_t)ticks / sysconf(_SC_CLK_TCK);
}

static void read_identity(void)
{
	struct stat st;

	memset(&self, 0, sizeof self);
	self.pid = (uint32_t)getpid();
	self.uid = (uint32_t)geteuid();
	self.gid = (uint32_t)getegid();
	self.start_time = ferryi_start_time(getpid());
	if (stat("/proc/self/ns/pid", &st) == 0)
		self.pid_namespace = st.st_ino;
	if (prctl(PR_GET_NAME, self.name) != 0)
		self.name[0] = 0;
	self.name[sizeof self.name - 1] = 0;
}

const struct ferryi_identity *ferryi_identity(void)
{
	uint32_t now = ferryi_generation();

	if (__atomic_load_n(&self_generation, __ATOMIC_ACQUIRE) == now)
		return &self;
	pthread_mutex_lock(&self_lock);
	if (self_generation != now) {
		read_identity();
		__atomic_store_n(&self_generation, now, __ATOMIC_RELEASE);
	}
	pthread_mutex_unlock(&self_lock);
	return &self;
}

uid_t ferryi_uid(void)
{
	return geteuid();
}

void ferryi_process_name(pid_t pid, char out[16])
{
	char path[40];
	ssize_t n;
	int fd;

	out[0] = 0;
	snprintf(path, sizeof path, "/proc/%d/comm", (int)pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return;
	n = read(fd, out, 15);
	close(fd);
	out[n > 0 ? n : 0] = 0;
	out[strcspn(out, "\n")] = 0;
}

int ferryi_process_owner(pid_t pid, uid_t *uid, gid_t *gid)
{
	char path[32];
	struct stat st;

	snprintf(path, sizeof path, "/proc/%d", (int)pid);
	if (stat(path, &st) != 0)
		return -errno;
	*uid = st.st_uid;
	*gid = st.st_gid;
	return 0;
}

/* --- others ------------------------------------------------------------ */

#define EXITING 0x4u /* PF_EXITING of the kernel: before it rings our bell */
#define KILLED	(1u << (SIGKILL - 1))

enum ferryi_fate ferryi_fate(uint32_t pid, uint64_t start)
{
	struct stat_line s;

	if (pid == 0 || pid > INT32_MAX)
		return FERRYI_ALIVE;
	if (kill((pid_t)pid, 0) != 0 && errno == ESRCH)
		return FERRYI_ENDED;
	if (!read_stat((pid_t)pid, &s) || s.start_time == 0)
		return FERRYI_ALIVE;
	if (start != 0 && s.start_time != start)
		return FERRYI_ENDED;
	/* The other threads of a zombie may live on. */
	return s.state != 'Z' && (s.flags & EXITING || s.pending & KILLED) ?
		       FERRYI_ENDING :
		       FERRYI_ALIVE;
}

bool ferryi_may_live(uint32_t pid, uint64_t start)
{
	return ferryi_fate(pid, start) != FERRYI_ENDED;
}

int ferryi_maps_file(uint32_t pid, dev_t dev, ino_t ino)
{
	char path[40], line[512], wanted[64];
	int found = 0;
	FILE *f;

	snprintf(path, sizeof path, "/proc/%u/maps", pid);
	f = fopen(path, "re");
	if (!f)
		return -1;
	snprintf(wanted, sizeof wanted, " %02x:%02x %llu ", major(dev),
		 minor(dev), (unsigned long long)ino);
	while (!found && fgets(line, sizeof line, f))
		found = strstr(line, wanted) != NULL;
	fclose(f);
	return found;
}
