/* SPDX-License-Identifier: MIT */
/*
 * Names of processes: registered, given up, asked about, removed after the dead.
 *
 * A name is a socket at which its holder listens (link/unix_listen.c: one that is
 * left is replaced only when a connect to it is refused, under a lock of the
 * directory).  The kernel tells who listens.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "link/process.h"
#include "sys/files.h"
#include "sys/process.h"
#include "sys/ready.h"

extern const struct ferryi_transport ferryi_transport_unix;

/* Connections in front of our own that a registration lets in: a whole backlog. */
#define CERTIFY_MOST 10000u

int ferryi_door_path(const char *directory, const char *name,
		     char out[FERRYI_SOCKET_PATH_MAX + 1])
{
	int n = snprintf(out, FERRYI_SOCKET_PATH_MAX + 1,
			 "%s/" FERRYI_PROCESS_PREFIX "%s", directory, name);

	if (n > FERRYI_SOCKET_PATH_MAX)
		return ferryi_fail(-EINVAL,
				   "process:%.100s: its socket's path would "
				   "have %d bytes, the kernel takes %d (choose "
				   "a shorter name or realm)",
				   name, n, FERRYI_SOCKET_PATH_MAX);
	return 0;
}

int ferryi_door_holder(const char *path, struct ferry_process *out)
{
	int fd = ferryi_socket(FERRYI_SOCKET_STREAM), r;

	memset(out, 0, sizeof *out);
	if (fd < 0)
		return fd;
	r = ferryi_socket_connect(fd, path);
	if (r == 0)
		r = ferryi_socket_peer(fd, &out->pid, &out->uid, &out->gid);
	ferryi_close(fd);
	if (r < 0)
		return r == -ECONNREFUSED ? -ENOENT : r;
	out->proof = FERRY_KERNEL;
	if (out->pid) {
		out->start_time = ferryi_start_time(out->pid);
		ferryi_process_name(out->pid, out->name);
	}
	return 0;
}

/* --- registered and given up -------------------------------------------------- */

static int taken(const char *address, const char *path)
{
	struct ferry_process p;

	if (ferryi_door_holder(path, &p) < 0 || p.pid == 0)
		return ferryi_fail(-EBUSY,
				   "%s: a living process has this name (choose "
				   "another)",
				   address);
	return ferryi_fail(-EBUSY,
			   "%s: pid %d (%s) has this name (choose another, or "
			   "end that process)",
			   address, (int)p.pid, p.name);
}

/* With the directory locked, as by one who registers. */
static int remove_dead(int dir, const struct ferryi_place *p)
{
	char path[FERRYI_SOCKET_PATH_MAX + 1], address[220];
	char file[sizeof p->name + sizeof FERRYI_PROCESS_PREFIX];
	struct ferry_process holder;
	int r;

	snprintf(file, sizeof file, FERRYI_PROCESS_PREFIX "%s", p->name);
	snprintf(address, sizeof address, "process:%s", p->name);
	r = ferryi_door_path(p->directory, p->name, path);
	if (r < 0)
		return r;
	r = ferryi_door_holder(path, &holder);
	if (r == -ENOENT)
		r = ferryi_unlink(dir, file);
	else if (r == 0 || r == -EAGAIN)
		return taken(address, path);
	if (r == -ENOENT)
		return ferryi_fail(r, "%s: no process has this name", address);
	return r < 0 ? ferryi_fail_sys(-r, "%s: cannot be removed: %s", address,
				       strerror(-r)) :
		       0;
}

int ferryi_door_destroy(const char *name)
{
	struct ferryi_place p;
	int r = ferryi_place_parse(&p, name), dir;

	if (r < 0)
		return r;
	dir = ferryi_realm_directory(p.directory, false);
	if (dir < 0)
		return dir;
	r = ferryi_directory_lock_try(dir);
	if (r == -EAGAIN)
		r = ferryi_fail(-EBUSY,
				"process:%s: somebody comes or goes "
				"just now (try again)",
				p.name);
	else if (r == 0) {
		r = remove_dead(dir, &p);
		ferryi_directory_unlock(dir);
	}
	ferryi_close(dir);
	return r;
}

static bool is_own(int fd)
{
	pid_t pid;
	uid_t uid;
	gid_t gid;

	return ferryi_socket_peer(fd, &pid, &uid, &gid) == 0 &&
	       pid == (pid_t)ferryi_identity()->pid;
}

/* Accept until our own connection comes; who was there before is put aside. */
static int find_own(struct ferryi_station *s)
{
	int fd, r;

	for (unsigned i = 0; i < CERTIFY_MOST; i++) {
		fd = ferryi_socket_accept(ferryi_door_socket(s));
		if (fd < 0)
			return fd;
		if (is_own(fd)) {
			s->certificate = fd;
			return 0;
		}
		r = ferryi_door_put_aside(s, fd);
		if (r < 0)
			return r;
	}
	return -EAGAIN;
}

static int certify(struct ferryi_station *s, const char *path)
{
	int fd = ferryi_socket(FERRYI_SOCKET_STREAM), r;

	if (fd < 0)
		return fd;
	r = ferryi_socket_connect(fd, path);
	if (r == 0)
		r = find_own(s);
	ferryi_close(fd);
	return r;
}

int ferryi_door_open(struct ferryi_station *s, struct ferry_link *l,
		     const struct ferryi_address *a)
{
	char path[FERRYI_SOCKET_PATH_MAX + 1];
	int r = ferryi_door_path(s->directory, s->name, path);

	if (r < 0)
		return r;
	r = ferryi_link_inner(&s->door, &ferryi_transport_unix, FERRY_DUPLEX,
			      l->address);
	if (r < 0)
		return r;
	s->door->listening = true;
	((struct ferryi_unix *)s->door->state)->type = FERRYI_SOCKET_STREAM;
	s->certificate = -1;
	r = ferryi_unix_listen_at(s->door, a, path);
	/* K1: the name is there, its holder cannot prove it yet */
	if (r == -EBUSY)
		r = taken(l->address, path);
	else if (r == 0)
		r = certify(s, path);
	if (r == 0)
		r = ferryi_set_add(s->doors, ferryi_door_socket(s), NULL);
	if (r < 0)
		ferryi_door_close(s);
	return r == 0 || r == -EAGAIN || ferryi_fail_sentence(r) ?
		       r :
		       ferryi_fail_sys(-r, "%s: cannot be registered: %s",
				       l->address, strerror(-r));
}

void ferryi_door_close(struct ferryi_station *s)
{
	if (!s->door)
		return;
	while (s->n_aside > 0)
		ferryi_door_turn_away(s, s->n_aside - 1);
	if (((struct ferryi_endpoint *)s->door->state)->opened)
		ferryi_set_remove(s->doors, ferryi_door_socket(s));
	if (s->certificate >= 0)
		ferryi_close(s->certificate);
	s->certificate = -1;
	ferryi_link_free(s->door);
	s->door = NULL;
}
