/* SPDX-License-Identifier: MIT */
/*
 * What the library asks of the kernel, simulated.  The linker puts these
 * functions in the place of those of src/sys (--wrap), so everything above
 * them runs as it is.
 *
 * As in Linux: futex_waitv enqueues word by word; a wake takes one word of a
 * sleeper off, the others stay until it runs, so a second wake may be spent on
 * one who is awake; the highest index that was woken is reported; a stop takes a
 * sleeper off all queues.  A death rings the bell at once and drops the locks
 * later.
 */
#include <errno.h>

#include "shm/atomic.h"
#include "sys/clock.h"
#include "sys/files.h"
#include "sys/futex.h"
#include "sys/lock.h"
#include "sys/token.h"
#include "world.h"

#define FILE_ID 1 /* device and inode of every file */
#define FD_BOX	7

static uint8_t lease[SIM_SLOTS], repairing[SIM_SLOTS]; /* number + 1, or 0 */

/* --- clock and identity --------------------------------------------------- */

int64_t __wrap_ferryi_cpu(void);
int64_t __wrap_ferryi_cpu(void)
{
	return 0; /* looks cost nothing here */
}

int64_t __wrap_ferryi_now(void);
int64_t __wrap_ferryi_now(void)
{
	return world.now += 100;
}

ferry_time __wrap_ferry_after(int64_t ns);
ferry_time __wrap_ferry_after(int64_t ns)
{
	return __wrap_ferryi_now() + ns;
}

int64_t __wrap_ferryi_wall(void);
int64_t __wrap_ferryi_wall(void)
{
	return world.now;
}

int64_t __wrap_ferryi_now_stamp(void);
int64_t __wrap_ferryi_now_stamp(void)
{
	return world.now;
}

int64_t __wrap_ferryi_wall_stamp(void);
int64_t __wrap_ferryi_wall_stamp(void)
{
	return world.now;
}

const struct ferryi_identity *__wrap_ferryi_identity(void);
const struct ferryi_identity *__wrap_ferryi_identity(void)
{
	return &world.current->self;
}

uint32_t __wrap_ferryi_generation(void);
uint32_t __wrap_ferryi_generation(void)
{
	return 1;
}

static const struct proc *by_pid(uint32_t pid)
{
	return pid >= 1000 && pid < 1000 + world.n_procs ?
		       &world.procs[pid - 1000] :
		       NULL;
}

bool __wrap_ferryi_may_live(uint32_t pid, uint64_t start);
bool __wrap_ferryi_may_live(uint32_t pid, uint64_t start)
{
	const struct proc *p = by_pid(pid);

	(void)start;
	return p && p->life != DEAD;
}

enum ferryi_fate __wrap_ferryi_fate(uint32_t pid, uint64_t start);
enum ferryi_fate __wrap_ferryi_fate(uint32_t pid, uint64_t start)
{
	const struct proc *p = by_pid(pid);

	(void)start;
	if (!p || p->life == DEAD)
		return FERRYI_ENDED;
	return p->life == DYING ? FERRYI_ENDING : FERRYI_ALIVE;
}

int __wrap_ferryi_maps_file(uint32_t pid, dev_t dev, ino_t ino);
int __wrap_ferryi_maps_file(uint32_t pid, dev_t dev, ino_t ino)
{
	const struct proc *p = by_pid(pid);

	(void)dev;
	(void)ino;
	return p && p->life == ALIVE;
}

/* --- futexes -------------------------------------------------------------- */

/* Who is woken next of those who watch the word. */
static struct proc *sleeper_of(const uint32_t *addr, unsigned *out_index)
{
	struct proc *best = NULL;

	for (unsigned i = 0; i < world.n_procs; i++) {
		struct proc *p = &world.procs[i];

		for (unsigned k = 0; k < p->nap.n; k++) {
			if (p->nap.addr[k] != addr || !p->nap.queued[k] ||
			    (best && (best->nap.ticket < p->nap.ticket) !=
					     world.plan.unfair))
				continue;
			best = p;
			*out_index = k;
		}
	}
	return best;
}

static int wake(uint32_t *addr, int most)
{
	unsigned at = 0;
	int n = 0;

	for (struct proc *p; n < most && (p = sleeper_of(addr, &at)); n++) {
		p->nap.queued[at] = false;
		if (p->nap.woken < (int)at)
			p->nap.woken = (int)at;
	}
	if (n == 0 && addr == &world_registry()->control->death)
		world.bell_lost = true;
	return n;
}

int __wrap_ferryi_futex_wake(uint32_t *addr, int n);
int __wrap_ferryi_futex_wake(uint32_t *addr, int n)
{
	SIM_STEP("wake", addr);
	return wake(addr, n);
}

bool __wrap_ferryi_futex_has_waitv(void);
bool __wrap_ferryi_futex_has_waitv(void)
{
	return true;
}

static void dequeue(struct nap *nap)
{
	nap->n = 0;
	nap->asleep = false;
}

/* False: a word differs, or it was interrupted. */
static bool enqueue(struct nap *nap, const struct ferryi_futex *f, unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		SIM_STEP("sleep", f[i].addr);
		if (nap->interrupted || *f[i].addr != f[i].expected)
			return false;
		nap->addr[i] = f[i].addr;
		nap->queued[i] = true;
		nap->n = i + 1;
	}
	return true;
}

/* Until somebody makes kernel_can_run() true. */
static void sleep_now(struct nap *nap, int64_t until)
{
	nap->asleep = true;
	nap->until = until;
	world.count.sleeps++;
	world.granted -= sim_fuel; /* it gives up the rest of its steps */
	sim_fuel = 0;
	SIM_STEP("asleep", NULL);
}

int __wrap_ferryi_futex_wait(const struct ferryi_futex *f, unsigned n,
			     int64_t deadline);
int __wrap_ferryi_futex_wait(const struct ferryi_futex *f, unsigned n,
			     int64_t deadline)
{
	struct nap *nap = &world.current->nap;
	int r = -EAGAIN;

	do {
		*nap = (struct nap){ .woken = -1, .ticket = ++world.tickets };
		if (enqueue(nap, f, n)) {
			if (nap->woken < 0)
				sleep_now(nap, deadline);
			r = -ETIMEDOUT;
		}
		if (nap->woken >= 0)
			r = nap->woken;
		dequeue(nap);
	} while (nap->interrupted && nap->woken < 0);
	nap->woken = -1;
	return r;
}

bool kernel_can_run(struct proc *p)
{
	return p->life == ALIVE && !p->stopped &&
	       (!p->nap.asleep || p->nap.woken >= 0 || p->nap.interrupted ||
		p->nap.until <= world.now);
}

void kernel_interrupt(struct proc *p)
{
	if (!p->nap.n)
		return;
	p->nap.n = 0;
	p->nap.interrupted = true;
}

/* --- death and locks ------------------------------------------------------ */

void __wrap_ferryi_token_arm(uint32_t *death);
void __wrap_ferryi_token_arm(uint32_t *death)
{
	world.current->token = death;
}

void kernel_exit(struct proc *p)
{
	p->life = DYING;
	dequeue(&p->nap);
	if (p->token)
		wake(p->token, 1);
	p->locks_until = world_steps();
	if (random_one_in(&world.random, 2))
		p->locks_until += random_below(&world.random, 400);
	p->starved = random_one_in(&world.random, 8);
	if (p->starved)
		p->locks_until += random_below(&world.random, 20000);
}

void kernel_drop_locks(struct proc *p)
{
	for (unsigned i = 0; i < SIM_SLOTS; i++) {
		if (lease[i] == p->number + 1)
			lease[i] = 0;
		if (repairing[i] == p->number + 1)
			repairing[i] = 0;
	}
	p->life = DEAD;
}

void kernel_forget_locks(void)
{
	for (unsigned i = 0; i < SIM_SLOTS; i++)
		lease[i] = repairing[i] = 0;
}

static uint8_t *lock_at(uint64_t at)
{
	return at < SIM_SLOTS ?
		       &lease[at] :
		       &repairing[(at - FERRYI_LOCK_RECOVER) % SIM_SLOTS];
}

int __wrap_ferryi_lock_try(int fd, uint64_t at, uint64_t len);
int __wrap_ferryi_lock_try(int fd, uint64_t at, uint64_t len)
{
	uint8_t *lock = lock_at(at), me = (uint8_t)(world.current->number + 1);

	(void)fd;
	(void)len;
	SIM_STEP("lock", lock);
	if (*lock && *lock != me)
		return -EAGAIN;
	*lock = me;
	return 0;
}

void __wrap_ferryi_lock_drop(int fd, uint64_t at, uint64_t len);
void __wrap_ferryi_lock_drop(int fd, uint64_t at, uint64_t len)
{
	uint8_t *lock = lock_at(at);

	(void)fd;
	(void)len;
	SIM_STEP("unlock", lock);
	if (*lock == world.current->number + 1)
		*lock = 0;
}

/* --- files ---------------------------------------------------------------- */

int __wrap_ferryi_each_name(int dir, int (*each)(const char *, void *),
			    void *arg);
int __wrap_ferryi_each_name(int dir, int (*each)(const char *, void *),
			    void *arg)
{
	(void)dir;
	SIM_STEP("list", NULL);
	return each("box", arg);
}

int __wrap_ferryi_open_at(int dir, const char *name);
int __wrap_ferryi_open_at(int dir, const char *name)
{
	(void)dir;
	(void)name;
	return FD_BOX;
}

void __wrap_ferryi_close(int fd);
void __wrap_ferryi_close(int fd)
{
	(void)fd;
}

int __wrap_ferryi_stat(int fd, struct stat *st);
int __wrap_ferryi_stat(int fd, struct stat *st)
{
	(void)fd;
	st->st_dev = FILE_ID;
	st->st_ino = FILE_ID;
	return 0;
}

bool __wrap_ferryi_is_file(int fd, dev_t dev, ino_t ino);
bool __wrap_ferryi_is_file(int fd, dev_t dev, ino_t ino)
{
	(void)fd;
	return dev == FILE_ID && ino == FILE_ID;
}

ssize_t __wrap_ferryi_read_at(int fd, void *buf, size_t len, uint64_t at);
ssize_t __wrap_ferryi_read_at(int fd, void *buf, size_t len, uint64_t at)
{
	(void)fd;
	SIM_STEP("read", world.queue.base + at);
	__builtin_memcpy(buf, world.queue.base + at, len);
	return (ssize_t)len;
}

int __wrap_ferryi_reserve(int fd, uint64_t at, uint64_t len);
int __wrap_ferryi_reserve(int fd, uint64_t at, uint64_t len)
{
	(void)fd;
	(void)at;
	(void)len;
	SIM_STEP("reserve", NULL);
	return 0;
}

int __wrap_ferryi_view_open(struct ferryi_view *v, int fd);
int __wrap_ferryi_view_open(struct ferryi_view *v, int fd)
{
	v->fd = fd;
	v->file.st_dev = v->file.st_ino = FILE_ID;
	v->kind = FERRYI_KIND_MAILBOX;
	v->persistence = world.header.choice.persistence;
	v->header = world.header;
	v->queue = world.queue;
	v->users = world.queue.users;
	v->state = FERRY_LIVE;
	world.count.recoveries += world.current->segment != NULL;
	return 0;
}

/* Of the process's own segment: the library frees it next. */
void __wrap_ferryi_view_close(struct ferryi_view *v);
void __wrap_ferryi_view_close(struct ferryi_view *v)
{
	struct proc *p = world.current;

	if (p->segment && v == &p->segment->view)
		p->segment = NULL;
}

int __wrap_ferryi_registry_reserve(struct ferryi_registry *g, int fd,
				   uint32_t i);
int __wrap_ferryi_registry_reserve(struct ferryi_registry *g, int fd,
				   uint32_t i)
{
	(void)g;
	(void)fd;
	(void)i;
	return -ENOSPC;
}

/* A process of ours is no process of the system's: its list of realms, and the
 * lock over it, are left out. */
void __wrap_ferryi_realm_leave(struct ferryi_realm *r);
void __wrap_ferryi_realm_leave(struct ferryi_realm *r)
{
	ferryi_lease_end(r);
}

void __wrap_ferryi_realms_lock(void);
void __wrap_ferryi_realms_lock(void)
{
}

void __wrap_ferryi_realms_unlock(void);
void __wrap_ferryi_realms_unlock(void)
{
}
