/* SPDX-License-Identifier: MIT */
/* Logs in files: what an address says, opening, removing. */
#include "link/file.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>

#include "base/error.h"
#include "link/file_log.h"
#include "link/queues.h"
#include "sys/appending.h"
#include "sys/files.h"
#include "sys/process.h"

#define DEFAULT_MAX (1u << 20)

/* --- what an address says ------------------------------------------------------- */

static int read_path(struct ferry_link *l, const struct ferryi_address *a)
{
	char path[FERRYI_ADDRESS_MAX * 2];
	int err;

	if (!*a->rest)
		return ferryi_fail(-EINVAL, "file: needs a path (file:PATH)");
	err = ferryi_append_path(a->rest, path, sizeof path);
	if (err < 0)
		return ferryi_file_trouble(l, err, "finding it");
	ferryi_file_of(l)->path = strdup(path);
	return ferryi_file_of(l)->path ?
		       0 :
		       ferryi_fail(-ENOMEM, "out of memory for a path");
}

static int read_options(struct ferry_link *l, const struct ferryi_address *a)
{
	const char *sync = ferryi_address_get(a, "sync");
	struct ferryi_file *f = ferryi_file_of(l);
	unsigned mode;
	int err = ferryi_queue_mode(a, &mode);

	f->max = DEFAULT_MAX;
	f->sync = sync != NULL;
	if (!err)
		err = ferryi_queue_size(a, "max", &f->max);
	if (err)
		return err;
	if (f->max > FERRYI_RECORD_MAX)
		return ferryi_fail(-EINVAL, "file: max=%s is more than 1G",
				   ferryi_address_get(a, "max"));
	if (sync && *sync)
		return ferryi_fail(-EINVAL, "file: sync has no value (write "
					    "file:PATH?sync)");
	if (!(l->flags & FERRY_SEND) && sync)
		return ferryi_fail(-EINVAL, "file: sync is for who sends");
	if (!(l->flags & FERRY_RECV) && ferryi_address_get(a, "from"))
		return ferryi_fail(-EINVAL, "file: from= is for who receives");
	return 0;
}

/* --- opening -------------------------------------------------------------------- */

static int nothing_behind(struct ferry_link *l)
{
	struct stat st;

	if (ferryi_stat_path(ferryi_file_of(l)->path, &st) != 0 ||
	    !S_ISLNK(st.st_mode))
		return ferryi_queue_restless(l->address);
	return ferryi_fail(-EEXIST,
			   "%s is a symbolic link that leads to nothing (make "
			   "the file that it names, or remove it)",
			   l->address);
}

static int cannot_open(struct ferry_link *l, int err, const char *to)
{
	switch (err) {
	case -ENOENT:
		return ferryi_fail(-ENOENT, "%s does not exist (%s)",
				   l->address,
				   l->flags & FERRY_SEND ?
					   "nor does its directory: make that" :
					   "who sends makes it");
	case -EISDIR:
		return ferryi_fail(-EINVAL,
				   "%s is a directory (name a file in it)",
				   l->address);
	case -EACCES:
	case -EPERM:
		return ferryi_fail(-EACCES,
				   "%s: you may not %s it (who makes it sets "
				   "mode=)",
				   l->address, to);
	case -EEXIST: /* and yet it could not be opened */
		return nothing_behind(l);
	case -ENXIO: /* a socket */
		return ferryi_fail(-EINVAL,
				   "%s is no regular file (choose another "
				   "path)",
				   l->address);
	}
	return ferryi_file_trouble(l, err, "opening it");
}

static int check_kind(struct ferry_link *l, int fd)
{
	struct stat st;
	int err = ferryi_stat(fd, &st);

	if (err)
		return ferryi_file_trouble(l, err, "looking at it");
	if (S_ISDIR(st.st_mode))
		return cannot_open(l, -EISDIR, "");
	return S_ISREG(st.st_mode) ? 0 : cannot_open(l, -ENXIO, "");
}

static int open_to_send(struct ferry_link *l, const struct ferryi_address *a)
{
	struct ferryi_file *f = ferryi_file_of(l);
	bool made = false;
	unsigned mode;
	int err = ferryi_queue_mode(a, &mode);

	if (err)
		return err;
	err = ferryi_file_own(f, mode, &made);
	if (err)
		return cannot_open(l, err, "read and write");
	err = check_kind(l, f->out.fd);
	if (err)
		return err;
	err = ferryi_log_is_one(f->out.fd);
	if (err >= 0)
		err = made && f->sync ? ferryi_append_sync_name(f->path) : 0;
	return err ? ferryi_file_trouble(l, err, "opening it") : 0;
}

static int start_at(struct ferry_link *l, uint64_t wanted, uint64_t size)
{
	struct ferryi_file *f = ferryi_file_of(l);
	struct ferryi_record r;
	int found;

	if (wanted > size && wanted > FERRYI_RECORD_START)
		return ferryi_fail(-EINVAL,
				   "%s: the log has %" PRIu64 " bytes, from= "
				   "is behind its end",
				   l->address, size);
	found = ferryi_log_find(f->in.fd, size, wanted, &r);
	if (found == 1)
		f->in.at = r.at;
	else if (found == 0)
		found = ferryi_log_end(f->in.fd, size, 0, &f->in.at);
	return found < 0 ? ferryi_file_trouble(l, found, "reading it") : 0;
}

/* from=start, end, or a position: there, or at the next record behind it. */
static int read_from(struct ferry_link *l, const struct ferryi_address *a)
{
	const char *from = ferryi_address_get(a, "from");
	struct ferryi_file *f = ferryi_file_of(l);
	uint64_t wanted = 0;
	struct stat st;
	int err;

	f->in.at = FERRYI_RECORD_START;
	if (!from || strcmp(from, "start") == 0)
		return 0;
	err = ferryi_stat(f->in.fd, &st);
	if (!err && strcmp(from, "end") == 0 && st.st_size)
		err = ferryi_log_end(f->in.fd, (uint64_t)st.st_size, 0,
				     &f->in.at);
	if (err)
		return ferryi_file_trouble(l, err, "reading it");
	if (strcmp(from, "end") == 0)
		return 0;
	if (ferryi_parse_size(from, &wanted) != 0)
		return ferryi_fail(-EINVAL,
				   "file: from=%.60s is not known (it is "
				   "start, end, or a position)",
				   from);
	return start_at(l, wanted, (uint64_t)st.st_size);
}

static int open_to_receive(struct ferry_link *l, const struct ferryi_address *a)
{
	struct ferryi_file *f = ferryi_file_of(l);
	int err;

	f->in.fd = ferryi_append_open(f->path, false);
	if (f->in.fd < 0)
		return cannot_open(l, f->in.fd, "read");
	err = check_kind(l, f->in.fd);
	if (err)
		return err;
	err = ferryi_log_is_one(f->in.fd);
	if (err < 0)
		return ferryi_file_trouble(l, err, "reading it");
	f->in.is_log = err == 1;
	return read_from(l, a);
}

int ferryi_file_open(struct ferry_link *l, const struct ferryi_address *a)
{
	struct ferryi_file *f = ferryi_file_of(l);
	int err;

	f->in.fd = f->in.watch = f->out.fd = -1;
	f->opened = true;
	err = read_path(l, a);
	if (!err)
		err = read_options(l, a);
	if (!err && l->flags & FERRY_SEND)
		err = open_to_send(l, a);
	if (!err && l->flags & FERRY_RECV)
		err = open_to_receive(l, a);
	return err;
}

/* --- removing ------------------------------------------------------------------- */

static int parse_to_remove(struct ferryi_address *a, const char *rest)
{
	static const char known[] = "from max mode sync timeout";
	int err = ferryi_queue_parse(a, "file", rest);
	const char *key = err ? NULL : ferryi_address_unknown(a, known);

	return key ? ferryi_fail(-EINVAL, "file: has no key '%s' (it has %s)",
				 key, known) :
		     err;
}

/* What the path itself is: a link to a log is not the log. */
static int find_to_remove(const char *rest, struct ferryi_address *a)
{
	struct stat st;
	int err = parse_to_remove(a, rest);

	if (!err)
		err = ferryi_queue_identify("file", rest, &st);
	if (err)
		return err;
	return S_ISREG(st.st_mode) ?
		       0 :
		       ferryi_fail(-EINVAL,
				   "file:%.300s is no regular file (rm removes "
				   "other files)",
				   a->rest);
}

static int not_removed(const struct ferryi_address *a, int err,
		       const char *doing)
{
	return ferryi_fail_sys(-err, "file:%.300s: %s failed: %s", a->rest,
			       doing, strerror(-err));
}

/* With the file open, so that what is removed is what was looked at. */
static int remove_log(const struct ferryi_address *a, int fd)
{
	struct stat st;
	int err;

	if (ferryi_log_is_one(fd) < 0)
		return ferryi_fail(-EBADMSG,
				   "file:%.300s is not a log of ferry's (rm "
				   "removes other files)",
				   a->rest);
	err = ferryi_stat_path(a->rest, &st);
	if (!err && !ferryi_is_file(fd, st.st_dev, st.st_ino))
		return ferryi_fail(-EBUSY,
				   "file:%.300s was replaced just now (try "
				   "again)",
				   a->rest);
	if (!err)
		err = ferryi_append_remove(a->rest);
	return err ? not_removed(a, err, "removing it") : 0;
}

int ferryi_file_destroy(const char *rest)
{
	struct ferryi_address a;
	int err = find_to_remove(rest, &a), fd;

	if (err)
		return err;
	fd = ferryi_open_read_at(AT_FDCWD, a.rest);
	if (fd < 0)
		return not_removed(&a, fd, "opening it");
	err = remove_log(&a, fd);
	ferryi_close(fd);
	return err;
}
