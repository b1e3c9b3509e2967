/* SPDX-License-Identifier: MIT */
/*
 * The file of a FIFO.  Who receives makes it where there is none, and who made it
 * removes it when it stops receiving; one that was there before stays.  So nothing
 * is left behind, and who wants the name to stay says so with mkfifo(1).
 *
 * One process at a time receives: a lock on the open FIFO says so.  Removing
 * happens under that lock, and who has got it looks whether the name still means
 * what it has opened; so nobody receives at a name that is gone.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "link/fifo.h"
#include "link/queues.h"
#include "sys/fifos.h"
#include "sys/files.h"
#include "sys/process.h"
#include "wire/address.h"

#define DEFAULT_MODE 0600u
#define TAKES	     3u /* a stale one, a new one, and a race */

/* --- the place ----------------------------------------------------------------- */

/* Split a path: its directory, open, and the name in it. */
static int open_place(const char *path, char file[NAME_MAX + 1])
{
	const char *slash = strrchr(path, '/'),
		   *name = slash ? slash + 1 : path;
	char dir[4096];
	int fd;

	if (!*name || strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
		return ferryi_fail(-EINVAL,
				   "fifo: needs the path of a file "
				   "(fifo:PATH; '%.100s' is none)",
				   path);
	if (strlen(name) + sizeof FERRYI_FIFO_BACK - 1 > NAME_MAX ||
	    strlen(path) >= sizeof dir)
		return ferryi_fail(-EINVAL,
				   "fifo:%.100s...: the name is too long (at "
				   "most %zu bytes)",
				   path,
				   NAME_MAX + 1 - sizeof FERRYI_FIFO_BACK);
	snprintf(file, NAME_MAX + 1, "%s", name);
	snprintf(dir, sizeof dir, "%.*s", slash ? (int)(slash - path + 1) : 1,
		 slash ? path : ".");
	fd = ferryi_open_directory(dir);
	return fd >= 0 ? fd :
			 ferryi_fail_sys(-fd,
					 "fifo:%s: the directory %s cannot be "
					 "opened: %s",
					 path, dir, strerror(-fd));
}

int ferryi_fifo_begin(struct ferry_link *l, const struct ferryi_address *a)
{
	struct ferryi_fifo *f = ferryi_fifo_of(l);
	int err;

	if (f->begun)
		return 0;
	err = ferryi_endpoint_mode(a, DEFAULT_MODE, &f->mode);
	if (err)
		return err;
	f->dir = open_place(a->rest, f->file);
	if (f->dir < 0)
		return f->dir;
	f->hold = f->knock = -1;
	f->begun = true;
	return 0;
}

void ferryi_fifo_back(const char *file, char out[NAME_MAX + 1])
{
	snprintf(out, NAME_MAX + 1, "%.*s" FERRYI_FIFO_BACK,
		 (int)(NAME_MAX - sizeof FERRYI_FIFO_BACK), file);
}

/* --- sentences ----------------------------------------------------------------- */

int ferryi_fifo_fail(struct ferry_link *l, int err)
{
	switch (err) {
	case -EINVAL:
		return ferryi_fail(-EINVAL,
				   "%s is there and is no FIFO (choose another "
				   "path; mkfifo(1) makes one)",
				   l->address);
	case -ELOOP:
		return ferryi_fail(-EINVAL,
				   "%s is a symbolic link (name the FIFO that "
				   "it points to)",
				   l->address);
	case -EACCES:
	case -EPERM:
		return ferryi_fail(-EACCES,
				   "%s: you may not open it (who makes it sets "
				   "mode=)",
				   l->address);
	}
	return ferryi_fail_sys(-err, "%s: it cannot be opened: %s", l->address,
			       strerror(-err));
}

static int no_file(struct ferry_link *l, const char *name, int err)
{
	if (err == -EEXIST)
		return -EAGAIN;
	return ferryi_fail_sys(-err, "%s: the FIFO %s cannot be made: %s",
			       l->address, name, strerror(-err));
}

static int in_use(struct ferry_link *l)
{
	return ferryi_fail(-EBUSY,
			   "%s: another process receives there (end it, or "
			   "choose another path)",
			   l->address);
}

/* --- whose it is --------------------------------------------------------------- */

bool ferryi_fifo_is(int dir, const char *name, int fd)
{
	struct stat st;

	return ferryi_stat_at(dir, name, &st) == 0 &&
	       ferryi_is_file(fd, st.st_dev, st.st_ino);
}

int ferryi_fifo_own(struct ferryi_fifo *f, int fd)
{
	struct stat st;
	int err = ferryi_stat(fd, &st);

	if (err)
		return err;
	f->dev = st.st_dev;
	f->ino = st.st_ino;
	f->generation = ferryi_generation();
	f->made = true;
	return 0;
}

/* A forked child removes nothing of what its parent has made. */
void ferryi_fifo_remove(struct ferryi_fifo *f)
{
	char back[NAME_MAX + 1];
	struct stat st;

	if (!f->made)
		return;
	if (!f->accepted && f->generation != ferryi_generation())
		return;
	f->made = false;
	if (ferryi_stat_at(f->dir, f->file, &st) != 0 || st.st_dev != f->dev ||
	    st.st_ino != f->ino)
		return;
	ferryi_unlink(f->dir, f->file);
	if (!f->twin)
		return;
	ferryi_fifo_back(f->file, back);
	ferryi_unlink(f->dir, back);
}

/* In this order: who is killed in between can be called again. */
static int remove_both(int dir, const char *file)
{
	char back[NAME_MAX + 1];

	ferryi_fifo_back(file, back);
	ferryi_unlink(dir, back);
	return ferryi_unlink(dir, file);
}

int ferryi_fifo_destroy(const char *rest)
{
	char file[NAME_MAX + 1];
	struct ferryi_address a;
	const char *path;
	struct stat st;
	int err = ferryi_queue_parse(&a, "fifo", rest), dir;

	if (err)
		return err;
	path = a.rest;
	dir = open_place(path, file);
	if (dir < 0)
		return dir;
	err = ferryi_stat_at(dir, file, &st);
	if (!err && !S_ISFIFO(st.st_mode))
		err = ferryi_fail(-EINVAL,
				  "fifo:%s is no FIFO (rm(1) removes files)",
				  path);
	else if (!err && ferryi_address_get(&a, "duplex"))
		err = remove_both(dir, file);
	else if (!err)
		err = ferryi_unlink(dir, file);
	ferryi_close(dir);
	if (err == -ENOENT)
		return ferryi_fail(err, "fifo:%s does not exist", path);
	return err && !ferryi_fail_sentence(err) ?
		       ferryi_fail_sys(-err, "fifo:%s cannot be removed: %s",
				       path, strerror(-err)) :
		       err;
}

/* --- made and opened ----------------------------------------------------------- */

int ferryi_fifo_make_beside(struct ferry_link *l, const char *name,
			    unsigned mode, int64_t gid)
{
	int dir = ferryi_fifo_of(l)->dir, err = ferryi_fifo_make(dir, name), fd;

	if (err)
		return no_file(l, name, err);
	/* X1: a FIFO that is its owner's only */
	fd = ferryi_fifo_open(dir, name, false);
	err = fd < 0 ? fd : ferryi_set_access(fd, mode, gid);
	if (err == -EPERM) /* not our group: then without it */
		err = ferryi_set_access(fd, mode, -1);
	if (!err)
		return fd;
	ferryi_unlink(dir, name);
	if (fd >= 0)
		ferryi_close(fd);
	return no_file(l, name, err);
}

/* One attempt.  -EAGAIN: look again. */
static int try_take(struct ferry_link *l, bool afresh)
{
	struct ferryi_fifo *f = ferryi_fifo_of(l);
	int fd = ferryi_fifo_open(f->dir, f->file, false), err;
	bool made = fd == -ENOENT;

	if (made)
		fd = ferryi_fifo_make_beside(l, f->file, f->mode, -1);
	if (fd < 0)
		return made ? fd : ferryi_fifo_fail(l, fd);
	err = ferryi_fifo_lock_try(fd);
	if (!ferryi_fifo_is(f->dir, f->file, fd))
		err = -EAGAIN; /* who had it removed it */
	else if (err == -EWOULDBLOCK)
		err = in_use(l);
	else if (!err && made)
		err = ferryi_fifo_own(f, fd);
	else if (!err && afresh) {
		ferryi_unlink(f->dir, f->file);
		err = -EAGAIN;
	}
	if (!err)
		return fd;
	ferryi_close(fd);
	return err == -EAGAIN || err == -EBUSY ? err : ferryi_fifo_fail(l, err);
}

int ferryi_fifo_take(struct ferry_link *l, bool afresh)
{
	int fd = -EAGAIN;

	for (unsigned i = 0; i < TAKES && fd == -EAGAIN; i++)
		fd = try_take(l, afresh);
	if (fd == -EAGAIN)
		ferryi_fifo_of(l)->lack = FERRYI_LACKS_TURN;
	return fd;
}

int ferryi_fifo_reach(struct ferry_link *l)
{
	struct ferryi_fifo *f = ferryi_fifo_of(l);
	int fd = ferryi_fifo_open(f->dir, f->file, true);

	switch (fd) {
	case -ENOENT: f->lack = FERRYI_LACKS_FILE; return -EAGAIN;
	case -ENXIO: f->lack = FERRYI_LACKS_READER; return -EAGAIN;
	}
	return fd < 0 ? ferryi_fifo_fail(l, fd) : fd;
}
