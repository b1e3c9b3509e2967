/* SPDX-License-Identifier: MIT */
/*
 * See uring.h.  Called by number, without liburing: one request at a time, and its
 * end, are all that is needed.
 *
 * DEFER_TASKRUN: what ends is put into the ring by a call of ours, and not by
 * interrupting the thread, which would make its epoll_wait(2) say EINTR.
 */
#include "sys/uring.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/io_uring.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "sys/process.h"

/* Of Linux 6.1 and 6.7, for older headers. */
#ifndef IORING_SETUP_SINGLE_ISSUER
#define IORING_SETUP_SINGLE_ISSUER (1u << 12)
#endif
#ifndef IORING_SETUP_DEFER_TASKRUN
#define IORING_SETUP_DEFER_TASKRUN (1u << 13)
#endif
#define OP_FUTEX_WAITV 53

#define ENTRIES	  2u
#define THE_SLEEP 1u /* user_data */
#define THE_STOP  2u

static bool is_switched_off(void)
{
	const char *knob = getenv("FERRY_IO_URING");

	return knob && strcmp(knob, "0") == 0;
}

/* 2: nobody may; 1: who is in no group that may. */
static bool is_disabled(void)
{
	int fd = open("/proc/sys/kernel/io_uring_disabled",
		      O_RDONLY | O_CLOEXEC);
	char level = '0';

	if (fd < 0)
		return false;
	if (read(fd, &level, 1) < 0)
		level = '0';
	close(fd);
	return level != '0';
}

void ferryi_uring_why_not(int err, char *buf, size_t size)
{
	struct utsname kernel;

	if (is_switched_off())
		snprintf(buf, size, "FERRY_IO_URING=0 switches it off");
	else if (err == -ENOSYS && uname(&kernel) == 0)
		snprintf(buf, size,
			 "this kernel (%.40s) has none, or a sandbox hides it",
			 kernel.release);
	else
		snprintf(buf, size, "%s forbids it: %s",
			 is_disabled() ? "the sysctl kernel.io_uring_disabled" :
					 "a sandbox (seccomp)",
			 strerror(-err));
}

static int enter(struct ferryi_uring *u, unsigned submit, unsigned wait_for)
{
	long r = syscall(SYS_io_uring_enter, u->fd, submit, wait_for,
			 IORING_ENTER_GETEVENTS, NULL, 0);

	return r < 0 ? -errno : (int)r;
}

/* --- life -------------------------------------------------------------------- */

void ferryi_uring_free(struct ferryi_uring *u)
{
	/* of a child of a fork they are not: see keep_from_children() */
	if (u->rings && u->generation == ferryi_generation())
		munmap(u->rings, u->rings_bytes);
	if (u->sqes && u->generation == ferryi_generation())
		munmap(u->sqes, u->sqes_bytes);
	if (u->fd >= 0)
		close(u->fd);
	*u = (struct ferryi_uring){ .fd = -1, .told = u->told };
}

static void *map(struct ferryi_uring *u, size_t bytes, off_t at)
{
	void *p = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
		       MAP_SHARED | MAP_POPULATE, u->fd, at);

	if (p == MAP_FAILED)
		return NULL;
	madvise(p, bytes, MADV_DONTFORK);
	return p;
}

static int map_rings(struct ferryi_uring *u, const struct io_uring_params *p)
{
	size_t sq = p->sq_off.array + p->sq_entries * sizeof(unsigned);
	size_t cq =
		p->cq_off.cqes + p->cq_entries * sizeof(struct io_uring_cqe);

	u->rings_bytes = sq > cq ? sq : cq;
	u->sqes_bytes = p->sq_entries * sizeof(struct io_uring_sqe);
	u->rings = map(u, u->rings_bytes, IORING_OFF_SQ_RING);
	u->sqes = map(u, u->sqes_bytes, IORING_OFF_SQES);
	if (!u->rings || !u->sqes)
		return -ENOMEM;
	u->sq_tail = (unsigned *)(u->rings + p->sq_off.tail);
	u->sq_mask = *(unsigned *)(u->rings + p->sq_off.ring_mask);
	u->cq_head = (unsigned *)(u->rings + p->cq_off.head);
	u->cq_tail = (unsigned *)(u->rings + p->cq_off.tail);
	u->cq_mask = *(unsigned *)(u->rings + p->cq_off.ring_mask);
	u->cqes = u->rings + p->cq_off.cqes;
	for (unsigned i = 0; i < p->sq_entries; i++)
		((unsigned *)(u->rings + p->sq_off.array))[i] = i;
	return 0;
}

static int make(struct ferryi_uring *u)
{
	struct io_uring_params p = { .flags = IORING_SETUP_SINGLE_ISSUER |
					      IORING_SETUP_DEFER_TASKRUN };
	int fd = (int)syscall(SYS_io_uring_setup, ENTRIES, &p), r;

	if (fd < 0) /* EINVAL: a kernel that does not know the flags */
		return errno == EINVAL ? -ENOSYS : -errno;
	u->fd = fd;
	u->generation = ferryi_generation();
	r = map_rings(u, &p);
	if (r == 0 && syscall(SYS_io_uring_register, fd,
			      IORING_REGISTER_EVENTFD, &u->told, 1) < 0)
		r = -errno;
	if (r < 0)
		ferryi_uring_free(u);
	return r;
}

/* A sleep that cannot be: a kernel that has it says that the word differs. */
int ferryi_uring_new(struct ferryi_uring *u, int told)
{
	uint32_t word = 0;
	struct ferryi_futex differs = { &word, 1 };
	int r;

	*u = (struct ferryi_uring){ .fd = -1, .told = told };
	if (is_switched_off())
		return -ENOSYS;
	r = ferryi_uring_sleep(u, &differs, 1);
	if (r == -EAGAIN && u->fd >= 0)
		return 0;
	ferryi_uring_free(u);
	return r == -EINVAL || r == 0 ? -ENOSYS : r;
}

/* --- requests ---------------------------------------------------------------- */

static struct io_uring_sqe *request(struct ferryi_uring *u, unsigned *out_tail)
{
	struct io_uring_sqe *e = u->sqes;

	*out_tail = *u->sq_tail;
	e += *out_tail & u->sq_mask;
	memset(e, 0, sizeof *e);
	return e;
}

/* What has ended.  True: the sleep is among it; *out is how. */
static bool reap(struct ferryi_uring *u, int *out)
{
	const struct io_uring_cqe *all = u->cqes, *e;
	unsigned head = *u->cq_head;
	bool ended = false;

	while (head != __atomic_load_n(u->cq_tail, __ATOMIC_ACQUIRE)) {
		e = &all[head++ & u->cq_mask];
		if (e->user_data == THE_SLEEP) {
			ended = true;
			*out = e->res;
		}
	}
	__atomic_store_n(u->cq_head, head, __ATOMIC_RELEASE);
	return ended;
}

static int submit(struct ferryi_uring *u, unsigned tail)
{
	int r;

	__atomic_store_n(u->sq_tail, tail + 1, __ATOMIC_RELEASE);
	r = enter(u, 1, 0);
	return r == 1 ? 0 : r == 0 ? -EAGAIN : r;
}

static int submit_sleep(struct ferryi_uring *u, const struct ferryi_futex *f,
			unsigned n)
{
	struct ferryi_waitv v[FERRYI_WAITV_MAX];
	struct io_uring_sqe *e;
	unsigned tail;

	ferryi_waitv_fill(v, f, n);
	e = request(u, &tail);
	e->opcode = OP_FUTEX_WAITV;
	e->addr = (uintptr_t)v;
	e->len = n;
	e->user_data = THE_SLEEP;
	return submit(u, tail);
}

int ferryi_uring_sleep(struct ferryi_uring *u, const struct ferryi_futex *f,
		       unsigned n)
{
	int r = -EEXIST, how = 0;

	if (u->fd >= 0)
		r = submit_sleep(u, f, n);
	if (r == -EEXIST) { /* another thread's, or none */
		ferryi_uring_free(u);
		r = make(u);
		if (r == 0)
			r = submit_sleep(u, f, n);
	}
	if (r < 0) {
		ferryi_uring_free(u);
		return r;
	}
	u->sleeps = !reap(u, &how);
	return u->sleeps ? 0 : how < 0 ? how : -EAGAIN;
}

void ferryi_uring_stop(struct ferryi_uring *u)
{
	struct io_uring_sqe *e;
	unsigned tail;
	int r, how;

	if (!u->sleeps)
		return;
	e = request(u, &tail);
	e->opcode = IORING_OP_ASYNC_CANCEL;
	e->fd = -1;
	e->addr = THE_SLEEP;
	e->user_data = THE_STOP;
	r = submit(u, tail);
	/* one that is being woken just now ends within microseconds */
	while (r >= 0 && !reap(u, &how)) {
		r = enter(u, 0, 1);
		if (r == -EINTR)
			r = 0;
	}
	u->sleeps = false;
	if (r < 0)
		ferryi_uring_free(u);
}
