/* SPDX-License-Identifier: MIT */
/*
 * sysv:PATH: a small text file that says which key the queue has:
 *
 *	System V message queue of ferry
 *	key 0x5f3a9c11
 *	boot 0f2e5f3c-6f0e-4a43-9a53-6d2f9a0b7c11
 *
 * ftok(3) makes a key of 24 bits of a file's numbers, so two files may have the
 * same.  Here the key is chosen at random among those that nobody has, and the queue
 * is made with it as a new one (IPC_EXCL): no two files name one queue.
 *
 * A file of an earlier boot, or whose queue is gone, names nothing; who receives
 * makes a new queue and replaces it.  That, and the first file, happens under a lock
 * on the directory.  The file comes first, and goes last: who is killed in between
 * leaves one that names nothing, and never a queue that nobody finds.
 */
#include "link/sysv.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "link/queues.h"
#include "sys/files.h"
#include "sys/machine.h"
#include "sys/sockets.h"
#include "sys/sysvmsg.h"

#define TEXT_MAX 200
#define FORM	 "System V message queue of ferry\nkey 0x%08x\nboot %s\n"

struct place {
	const char *address;
	char dir_name[FERRYI_ADDRESS_MAX];
	const char *file;
	int dir;
};

static int place_open(struct place *p, const char *address,
		      const struct ferryi_address *a)
{
	const char *slash = strrchr(a->rest, '/');

	p->address = address;
	p->file = slash + 1;
	snprintf(p->dir_name, sizeof p->dir_name, "%.*s",
		 (int)(slash - a->rest + 1), a->rest);
	if (!*p->file)
		return ferryi_fail(-EINVAL,
				   "%s is a directory (name a file in it)",
				   address);
	p->dir = ferryi_open_directory(p->dir_name);
	if (p->dir < 0)
		return ferryi_fail_sys(-p->dir,
				       "%s: the directory %.200s cannot be "
				       "opened: %s",
				       address, p->dir_name, strerror(-p->dir));
	return 0;
}

/* --- the file ----------------------------------------------------------------- */

static int not_ours(const struct place *p)
{
	return ferryi_fail(-EBADMSG,
			   "%s: the file is not one of ferry's that names a "
			   "queue (choose another path, or ftok=1 for the key "
			   "that ftok gives it)",
			   p->address);
}

/* 1: *out_key is the key it names; 0: it names one of an earlier boot. */
static int parse(const struct place *p, const char *text, uint32_t *out_key)
{
	char boot[40] = "", now[40], again[TEXT_MAX];

	if (sscanf(text, "System V message queue of ferry key 0x%8x boot %39s",
		   out_key, boot) != 2)
		return not_ours(p);
	snprintf(again, sizeof again, FORM, *out_key, boot);
	if (strcmp(again, text) != 0 || *out_key == 0)
		return not_ours(p);
	ferryi_machine_boot(now);
	return strcmp(boot, now) == 0;
}

/* 1, 0 as parse(), or -ENOENT without a sentence, or another error. */
static int read_key(const struct place *p, uint32_t *out_key)
{
	char text[TEXT_MAX] = "";
	int fd = ferryi_open_read_at(p->dir, p->file);
	ssize_t n;

	if (fd == -ENOENT)
		return fd;
	if (fd < 0)
		return ferryi_fail_sys(-fd, "%s: the file cannot be read: %s",
				       p->address, strerror(-fd));
	n = ferryi_read_at(fd, text, sizeof text - 1, 0);
	ferryi_close(fd);
	if (n < 0) /* a directory, for one */
		return not_ours(p);
	text[n] = 0;
	return parse(p, text, out_key);
}

/* The queue that the file names now; -ENOENT: none. */
static int look_up(const struct place *p, unsigned flags, uint32_t *out_key)
{
	int r = read_key(p, out_key);

	if (r <= 0)
		return r == 0 ? -ENOENT : r;
	r = ferryi_sysv_open(*out_key, flags & FERRY_RECV, flags & FERRY_SEND);
	if (r >= 0 || r == -ENOENT)
		return r;
	return ferryi_sysv_cannot_open(p->address, flags, r);
}

static int publish(const struct place *p, const char *text, unsigned mode)
{
	char temporary[32];
	/* who may send or receive may read which queue it is */
	unsigned readers = 0600 | ((mode | mode << 1) & 0444);
	int fd = ferryi_file_new(p->dir, temporary), err;
	size_t len = strlen(text);

	if (fd < 0)
		return fd;
	if (ferryi_write_at(fd, text, len, 0) != (ssize_t)len)
		err = -ENOSPC;
	else
		err = ferryi_set_access(fd, readers, -1);
	if (!err) {
		ferryi_unlink(p->dir, p->file);
		err = ferryi_file_publish(p->dir, fd, temporary, p->file);
	} else if (temporary[0]) {
		ferryi_unlink(p->dir, temporary);
	}
	ferryi_close(fd);
	return err;
}

static int announce(const struct place *p, uint32_t key, unsigned mode)
{
	char text[TEXT_MAX], boot[40];
	int err;

	ferryi_machine_boot(boot);
	snprintf(text, sizeof text, FORM, key, boot);
	err = publish(p, text, mode);
	return err ? ferryi_fail_sys(-err, "%s: the file could not be made: %s",
				     p->address, strerror(-err)) :
		     0;
}

/* A key that no queue has now; 0: none was found. */
static uint32_t free_key(void)
{
	uint32_t key;

	for (int i = 0; i < FERRYI_QUEUE_ATTEMPTS; i++) {
		key = ferryi_machine_random() | 1; /* 0 is nobody's */
		if (ferryi_sysv_open(key, false, false) == -ENOENT)
			return key;
	}
	return 0;
}

/* With the lock: the file, and the new queue that it names. */
static int make(const struct place *p, const struct ferryi_address *a)
{
	uint32_t key = free_key();
	unsigned mode;
	int err = ferryi_queue_mode(a, &mode), id = -EEXIST;

	if (!err && key)
		err = announce(p, key, mode);
	if (err)
		return err;
	/* X4: a file that names no queue yet */
	if (key)
		id = ferryi_sysv_make(p->address, a, key);
	if (id >= 0)
		return id;
	ferryi_unlink(p->dir, p->file);
	return id != -EEXIST ? id :
			       ferryi_fail(-EBUSY,
					   "%s: others take every key that is "
					   "free (try again)",
					   p->address);
}

/* --- the calls ------------------------------------------------------------------ */

static int lock(const struct place *p)
{
	int err = ferryi_directory_lock_try(p->dir);

	return err && err != -EAGAIN ?
		       ferryi_fail_sys(-err,
				       "%s: the directory cannot be locked: %s",
				       p->address, strerror(-err)) :
		       err;
}

static int find_or_make(const struct place *p, struct ferry_link *l,
			const struct ferryi_address *a)
{
	uint32_t key;
	int id = look_up(p, l->flags, &key), err;

	if (id != -ENOENT)
		return id;
	if (!(l->flags & FERRY_RECV))
		return ferryi_sysv_cannot_open(l->address, l->flags, -ENOENT);
	err = lock(p);
	if (err)
		return err;
	id = look_up(p, l->flags, &key);
	if (id == -ENOENT)
		id = make(p, a);
	ferryi_directory_unlock(p->dir);
	return id;
}

int ferryi_sysv_open_path(struct ferry_link *l, const struct ferryi_address *a)
{
	struct place p = { 0 };
	int r = place_open(&p, l->address, a);

	if (r < 0)
		return r;
	r = find_or_make(&p, l, a);
	ferryi_close(p.dir);
	return r;
}

/* With the lock: the queue first, so that what is left names nothing. */
static int destroy(const struct place *p)
{
	uint32_t key;
	int r = read_key(p, &key), id;

	if (r == -ENOENT)
		return ferryi_fail(-ENOENT, "%s does not exist", p->address);
	if (r < 0)
		return r;
	id = r == 1 ? ferryi_sysv_open(key, false, false) : -ENOENT;
	r = id < 0 ? 0 : ferryi_sysv_remove(id);
	/* X6: the queue is gone, and the file names it still */
	if (r == -EPERM)
		return ferryi_fail(-EACCES, "%s: only its owner may remove it",
				   p->address);
	r = ferryi_unlink(p->dir, p->file);
	return r == 0 ? 0 :
			ferryi_fail_sys(-r, "%s: removing it failed: %s",
					p->address, strerror(-r));
}

int ferryi_sysv_find_path(const struct ferryi_address *a)
{
	char address[FERRYI_ADDRESS_MAX + 8];
	struct place p = { 0 };
	uint32_t key;
	int r;

	snprintf(address, sizeof address, "sysv:%s", a->rest);
	r = place_open(&p, address, a);
	if (r < 0)
		return r;
	r = look_up(&p, 0, &key);
	ferryi_close(p.dir);
	return r;
}

int ferryi_sysv_destroy_path(const struct ferryi_address *a)
{
	char address[FERRYI_ADDRESS_MAX + 8];
	struct place p = { 0 };
	int err;

	snprintf(address, sizeof address, "sysv:%s", a->rest);
	err = place_open(&p, address, a);
	if (err)
		return err;
	err = lock(&p);
	if (err == -EAGAIN)
		err = ferryi_fail(-EBUSY,
				  "%s: somebody makes or removes one in this "
				  "directory now (try again)",
				  address);
	if (!err) {
		err = destroy(&p);
		ferryi_directory_unlock(p.dir);
	}
	ferryi_close(p.dir);
	return err;
}
