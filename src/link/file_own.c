/* SPDX-License-Identifier: MIT */
/*
 * The open file of a sender is its process's own.
 *
 * A lock belongs to an open file, and is dropped when the last descriptor of that is
 * closed.  With a copy of the descriptor a forked child would have its parent's lock,
 * and keep it when the parent is killed in a send.  So the child closes its copies
 * before fork(3) returns there, and opens the file by its name when it sends.
 */
#include "link/file.h"

#include <errno.h>
#include <pthread.h>

#include "base/error.h"
#include "sys/appending.h"
#include "sys/files.h"
#include "sys/process.h"

#define ATTEMPTS 16

/* Those that send.  The lock is held from before a file is opened until it is listed,
 * so that a fork in between has no copy that nobody knows. */
static pthread_mutex_t list_lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_once_t guarded = PTHREAD_ONCE_INIT;
static struct ferryi_file *senders;

static void lock_list(void)
{
	pthread_mutex_lock(&list_lock);
}

static void unlock_list(void)
{
	pthread_mutex_unlock(&list_lock);
}

static void drop(struct ferryi_file *f)
{
	ferryi_close(f->out.fd);
	f->out.fd = -1;
}

static void in_child(void)
{
	for (struct ferryi_file *f = senders; f; f = f->out.next)
		drop(f);
	unlock_list();
}

static void guard_fork(void)
{
	pthread_atfork(lock_list, unlock_list, in_child);
}

/* --- opening ------------------------------------------------------------------- */

/* Open it, or make it: a descriptor, or an error of the system. */
static int find_or_make(struct ferryi_file *f, unsigned mode, bool *made)
{
	int fd = -EEXIST;

	for (int i = 0; i < ATTEMPTS && fd == -EEXIST; i++) {
		*made = false;
		fd = ferryi_append_open(f->path, true);
		if (fd != -ENOENT)
			return fd;
		*made = true;
		fd = ferryi_append_create(f->path, mode);
	}
	return fd;
}

int ferryi_file_own(struct ferryi_file *f, unsigned mode, bool *made)
{
	int err;

	pthread_once(&guarded, guard_fork);
	lock_list();
	f->out.fd = find_or_make(f, mode, made);
	f->out.generation = ferryi_generation();
	err = f->out.fd < 0 ? f->out.fd : ferryi_stat(f->out.fd, &f->out.is);
	if (!err) {
		f->out.next = senders;
		senders = f;
	} else if (f->out.fd >= 0) {
		drop(f);
	}
	unlock_list();
	return err;
}

void ferryi_file_disown(struct ferryi_file *f)
{
	struct ferryi_file **p = &senders;

	lock_list();
	while (*p && *p != f)
		p = &(*p)->out.next;
	if (*p)
		*p = f->out.next;
	drop(f);
	unlock_list();
}

/* --- after a fork ---------------------------------------------------------------- */

/* The same file by its name, or what has become of that. */
static int open_again(struct ferry_link *l)
{
	struct ferryi_file *f = ferryi_file_of(l);
	struct stat now;
	int err;

	drop(f); /* of a clone(2) that told nobody */
	f->out.fd = ferryi_append_open(f->path, true);
	if (f->out.fd == -ENOENT || f->out.fd == -ENOTDIR)
		return ferryi_file_stale(l, "removed");
	if (f->out.fd < 0)
		return ferryi_file_trouble(l, f->out.fd, "opening it again");
	err = ferryi_stat(f->out.fd, &now);
	if (err)
		err = ferryi_file_trouble(l, err, "looking at it");
	else if (now.st_dev != f->out.is.st_dev ||
		 now.st_ino != f->out.is.st_ino)
		err = ferryi_file_stale(l, "replaced");
	if (err)
		drop(f);
	return err;
}

int ferryi_file_own_again(struct ferry_link *l)
{
	struct ferryi_file *f = ferryi_file_of(l);
	int err;

	if (f->out.generation == ferryi_generation())
		return 0;
	lock_list();
	err = open_again(l);
	unlock_list();
	f->out.end = 0;
	if (!err)
		f->out.generation = ferryi_generation();
	return err;
}
