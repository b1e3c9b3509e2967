/* SPDX-License-Identifier: MIT */
/*
 * Listening at unix:PATH and unix:@NAME, or binding a socket for datagrams there.
 *
 * A socket file outlives its server.  One that is left is replaced, or removed by
 * ferry_destroy(), only when it is provably dead: see probe().  Two who start at
 * once could both find it dead, and the slower would remove the quicker one's new
 * file.  So all of it, probe, unlink, bind and listen, happens under a lock on the
 * directory, which leaves nothing behind and which the kernel drops when its holder
 * dies.
 *
 * The door removes its file when it closes, if the file is still its own; a
 * forked child that closes its copy removes nothing.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "link/queues.h"
#include "link/unix.h"
#include "sys/files.h"
#include "sys/process.h"
#include "wire/address.h"

#define DEFAULT_MODE 0600u

static struct ferryi_unix *state(struct ferry_link *l)
{
	return l->state;
}

/* --- the place of the file ----------------------------------------------- */

/* Split the path into an open directory and a name in it. */
static int open_place(struct ferry_link *l, const char *path)
{
	struct ferryi_unix *u = state(l);
	const char *slash = strrchr(path, '/');
	char dir[FERRYI_SOCKET_PATH_MAX + 1];
	int fd;

	snprintf(u->file, sizeof u->file, "%s", slash ? slash + 1 : path);
	if (!*u->file)
		return ferryi_fail(-EINVAL,
				   "%s is a directory (name a file in "
				   "it)",
				   l->address);
	snprintf(dir, sizeof dir, "%.*s", slash ? (int)(slash - path + 1) : 1,
		 slash ? path : ".");
	fd = ferryi_open_directory(dir);
	if (fd < 0)
		return ferryi_fail_sys(-fd,
				       "%s: the directory %s cannot be "
				       "opened and locked: %s",
				       l->address, dir, strerror(-fd));
	u->dir = fd;
	u->dir_open = true;
	return 0;
}

static int in_use(struct ferry_link *l)
{
	return ferryi_fail(-EBUSY,
			   "%s: somebody listens there already "
			   "(connect to it, or choose another name)",
			   l->address);
}

/*
 * 0: the one who bound the file is dead.  Any other answer refuses.
 *
 * The question must not disturb the living: a connection would be a client that
 * does not exist.  So a socket for datagrams asks, which makes none.  It is refused
 * when no socket is bound to the file any more; of one for connections, whether it
 * listens yet or not, the kernel says that it is of another type.
 */
static int probe(struct ferry_link *l, const char *path)
{
	int fd = ferryi_socket(FERRYI_SOCKET_DGRAM), err;

	if (fd < 0)
		return ferryi_fail_sys(-fd, "%s: no socket: %s", l->address,
				       strerror(-fd));
	err = ferryi_socket_connect(fd, path);
	ferryi_close(fd);
	switch (err) {
	case -ECONNREFUSED:
	case -ENOENT: return 0;
	case 0:
	case -EPERM: /* alive: it takes datagrams of another one only */
	case -EPROTOTYPE: /* alive: it is for connections */ return in_use(l);
	}
	return ferryi_fail_sys(-err,
			       "%s: whether somebody listens there "
			       "cannot be told: %s",
			       l->address, strerror(-err));
}

/* Make sure that the path is free. */
static int clear_place(struct ferry_link *l, const char *path)
{
	struct ferryi_unix *u = state(l);
	struct stat st;
	int err = ferryi_stat_at(u->dir, u->file, &st);

	if (err == -ENOENT)
		return 0;
	if (!err && !S_ISSOCK(st.st_mode))
		return ferryi_fail(-EEXIST,
				   "%s is there and is not a socket "
				   "(choose another path)",
				   l->address);
	if (!err)
		err = probe(l, path);
	if (err)
		return err;
	err = ferryi_unlink(u->dir, u->file);
	if (err && err != -ENOENT)
		return ferryi_fail_sys(-err,
				       "%s: the socket of a dead server "
				       "cannot be removed: %s",
				       l->address, strerror(-err));
	return 0;
}

/* --- the door ------------------------------------------------------------ */

int ferryi_unix_make(struct ferry_link *l)
{
	int fd;

	if (state(l)->end.opened)
		return 0;
	fd = ferryi_socket(state(l)->type);
	if (fd < 0)
		return ferryi_fail_sys(-fd, "%s: no socket: %s", l->address,
				       strerror(-fd));
	ferryi_endpoint_set(l, fd, fd);
	return 0;
}

/* Remember the new file, to remove it and no other one at the end. */
static int know_file(struct ferryi_unix *u)
{
	struct stat st;
	int err = *u->file ? ferryi_stat_at(u->dir, u->file, &st) : -ENOENT;

	if (err)
		return *u->file ? err : 0;
	u->dev = st.st_dev;
	u->ino = st.st_ino;
	u->generation = ferryi_generation();
	u->bound = true;
	return 0;
}

static int bind_and_listen(struct ferry_link *l, const char *name,
			   unsigned mode)
{
	struct ferryi_unix *u = state(l);
	int err = ferryi_unix_make(l), fd = u->end.in;

	if (err)
		return err;
	/* Before anybody can send: who sends the first one is known, too. */
	err = u->type == FERRYI_SOCKET_DGRAM ? ferryi_socket_mark_messages(fd) :
					       0;
	if (!err)
		err = ferryi_socket_bind(fd, name, mode);
	if (err == -EADDRINUSE)
		return in_use(l);
	/* X7: a socket file at which nobody listens */
	if (!err)
		err = know_file(u);
	if (!err && *u->file)
		err = ferryi_chmod_at(u->dir, u->file, mode);
	if (!err && u->type != FERRYI_SOCKET_DGRAM)
		err = ferryi_socket_listen(fd);
	if (err)
		return ferryi_fail_sys(-err, "%s: listening failed: %s",
				       l->address, strerror(-err));
	return 0;
}

static int listen_at_path(struct ferry_link *l, const char *path, unsigned mode)
{
	struct ferryi_unix *u = state(l);
	int err = u->dir_open ? 0 : open_place(l, path);

	if (err)
		return err;
	err = ferryi_directory_lock_try(u->dir);
	u->locked_out = err == -EAGAIN;
	if (err == -EAGAIN)
		return err;
	if (err)
		return ferryi_fail_sys(-err,
				       "%s: its directory cannot be "
				       "locked: %s",
				       l->address, strerror(-err));
	err = clear_place(l, path);
	if (!err)
		err = bind_and_listen(l, path, mode);
	ferryi_directory_unlock(u->dir);
	return err;
}

int ferryi_unix_listen_at(struct ferry_link *l, const struct ferryi_address *a,
			  const char *name)
{
	unsigned mode;
	int err = ferryi_endpoint_mode(a, DEFAULT_MODE, &mode);

	if (err)
		return err;
	if (name[0] == '@')
		return bind_and_listen(l, name, mode);
	return listen_at_path(l, name, mode);
}

int ferryi_unix_listen(struct ferry_link *l, const struct ferryi_address *a)
{
	int err = ferryi_unix_type(a, &state(l)->type);

	if (!err)
		err = ferryi_unix_check_name(a);
	if (!err && state(l)->type == FERRYI_SOCKET_DGRAM)
		err = ferryi_fail(-EOPNOTSUPP,
				  "%s: datagrams are not connected, nobody "
				  "listens (open it for FERRY_RECV)",
				  l->address);
	if (!err && ferryi_address_get(a, "bind"))
		err = ferryi_fail(-EINVAL, "unix: bind= is for who sends "
					   "datagrams (leave it out)");
	if (err)
		return err;
	l->messages = state(l)->type == FERRYI_SOCKET_STREAM ? NULL :
							       l->messages;
	l->stream = l->messages ? NULL : l->stream;
	return ferryi_unix_listen_at(l, a, a->rest);
}

int ferryi_unix_accept(struct ferry_link *door, struct ferry_link *peer)
{
	int fd = ferryi_socket_accept(state(door)->end.in);

	if (fd == -EAGAIN)
		return fd;
	if (fd < 0)
		return ferryi_fail_sys(-fd, "%s: accepting failed: %s",
				       door->address, strerror(-fd));
	return ferryi_unix_use(peer, fd, state(door)->type);
}

/* Before the socket closes: while it lives nobody takes its file for dead. */
static void remove_file(struct ferryi_unix *u)
{
	struct stat st;

	if (u->bound && u->generation == ferryi_generation() &&
	    ferryi_stat_at(u->dir, u->file, &st) == 0 && st.st_dev == u->dev &&
	    st.st_ino == u->ino)
		ferryi_unlink(u->dir, u->file);
}

void ferryi_unix_fini(struct ferry_link *l)
{
	struct ferryi_unix *u = state(l);

	remove_file(u);
	if (u->dir_open)
		ferryi_close(u->dir);
	ferryi_endpoint_fini(l);
}

/* --- removing what a dead one has left ----------------------------------- */

extern const struct ferryi_transport ferryi_transport_unix;

static int check_socket(struct ferry_link *l)
{
	struct ferryi_unix *u = state(l);
	struct stat st;
	int err = ferryi_stat_at(u->dir, u->file, &st);

	if (err == -ENOENT)
		return ferryi_fail(err, "%s does not exist", l->address);
	if (err)
		return ferryi_fail_sys(-err, "%s: %s", l->address,
				       strerror(-err));
	return S_ISSOCK(st.st_mode) ?
		       0 :
		       ferryi_fail(-EINVAL,
				   "%s is no socket (rm(1) removes files)",
				   l->address);
}

static int remove_dead(struct ferry_link *l, const char *path)
{
	int err = open_place(l, path);

	if (!err)
		err = check_socket(l);
	if (err)
		return err;
	err = ferryi_directory_lock_try(state(l)->dir);
	if (err)
		return ferryi_fail(err == -EAGAIN ? -EBUSY : ferryi_errno(-err),
				   "%s: its directory cannot be locked: %s "
				   "(try again)",
				   l->address, strerror(-err));
	err = clear_place(l, path);
	ferryi_directory_unlock(state(l)->dir);
	return err == -EBUSY ?
		       ferryi_fail(err,
				   "%s: somebody listens there (end that "
				   "process; only what a dead one has left is "
				   "removed)",
				   l->address) :
		       err;
}

int ferryi_unix_destroy(const char *rest)
{
	char text[FERRYI_SOCKET_PATH_MAX + 8];
	struct ferryi_address a;
	struct ferry_link *l;
	int err = ferryi_queue_parse(&a, "unix", rest);

	if (!err)
		err = ferryi_unix_check_name(&a);
	if (err)
		return err;
	if (a.rest[0] == '@')
		return ferryi_fail(-EOPNOTSUPP,
				   "unix:%s: an abstract name is no file, and "
				   "goes with the process that has it",
				   a.rest);
	snprintf(text, sizeof text, "unix:%s", a.rest);
	err = ferryi_link_inner(&l, &ferryi_transport_unix, FERRY_RECV, text);
	if (err)
		return err;
	err = remove_dead(l, a.rest);
	ferryi_link_free(l);
	return err;
}
