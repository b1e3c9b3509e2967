/* SPDX-License-Identifier: MIT */
/* See registry.h: making and opening the file.  Leases are in lease.c. */
#include "realm/registry.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/error.h"
#include "realm/realm.h"
#include "sys/clock.h"
#include "sys/files.h"

/* Each round needs somebody else to have removed the registry. */
#define ROUNDS 100

static void attach(struct ferryi_registry *g, uint8_t *base)
{
	g->control = (void *)(base + FERRYI_HEADER_BYTES);
	g->slots = (void *)(base + FERRYI_HEADER_BYTES +
			    sizeof(struct ferryi_registry_control));
}

static uint64_t first_bytes(void)
{
	return FERRYI_REGISTRY_BYTES -
	       (uint64_t)(FERRYI_OWNERS - FERRYI_SLOTS_FIRST) *
		       sizeof(struct ferryi_slot);
}

static void fill_header(struct ferryi_registry_header *h)
{
	memset(h, 0, sizeof *h);
	h->preamble.magic = FERRYI_MAGIC;
	h->preamble.format = FERRYI_FORMAT;
	h->preamble.word_bits = 64;
	h->preamble.kind = FERRYI_KIND_REGISTRY;
	h->preamble.header_bytes = sizeof *h;
	h->preamble.total_bytes = FERRYI_REGISTRY_BYTES;
	h->preamble.created_at = ferryi_wall();
	h->n_slots = FERRYI_OWNERS;
	h->checksum = ferryi_checksum(h, offsetof(struct ferryi_registry_header,
						  checksum));
}

/* The registry may be used by whoever may write to the directory. */
static int set_access(int dir, int fd)
{
	struct stat st;
	int r = ferryi_stat(dir, &st);

	if (r < 0)
		return r;
	r = ferryi_set_access(fd, st.st_mode & 0660, (int64_t)st.st_gid);
	if (r < 0) /* not our group: then the owner alone */
		r = ferryi_set_access(fd, st.st_mode & 0600, -1);
	return r;
}

static int make(int dir, const char *directory)
{
	uint32_t slots = FERRYI_SLOTS_FIRST;
	struct ferryi_registry_header h;
	char temporary[32];
	int fd = ferryi_file_new(dir, temporary), r;

	if (fd < 0)
		return ferryi_realm_fail_file(fd, dir, directory);
	fill_header(&h);
	r = ferryi_resize(fd, FERRYI_REGISTRY_BYTES);
	if (r == 0)
		r = ferryi_reserve(fd, 0, first_bytes());
	if (r == 0 && ferryi_write_at(fd, &h, sizeof h, 0) != sizeof h)
		r = -ENOSPC;
	if (r == 0 &&
	    ferryi_write_at(fd, &slots, sizeof slots,
			    FERRYI_HEADER_BYTES +
				    offsetof(struct ferryi_registry_control,
					     reserved)) < 0)
		r = -ENOSPC;
	if (r == 0)
		r = set_access(dir, fd);
	/* C1: an unnamed file; if we die here it vanishes */
	if (r == 0)
		r = ferryi_file_publish(dir, fd, temporary,
					FERRYI_REGISTRY_NAME);
	else if (temporary[0])
		ferryi_unlink(dir, temporary);
	ferryi_close(fd);
	if (r == 0 || r == -EEXIST)
		return 0;
	return ferryi_fail_sys(-r,
			       "realm %s: cannot make its registry of %llu "
			       "bytes (is there room?)",
			       directory, (unsigned long long)first_bytes());
}

const char *ferryi_other_format(const struct ferryi_preamble *p,
				char buf[FERRYI_FORMAT_SAID])
{
	buf[0] = 0;
	if (p->magic == FERRYI_MAGIC && p->format != FERRYI_FORMAT)
		snprintf(buf, FERRYI_FORMAT_SAID, "format %u, mine is %u; ",
			 p->format, FERRYI_FORMAT);
	return buf;
}

static int map(struct ferryi_registry *g, int fd, const char *directory)
{
	struct ferryi_registry_header h;
	const char *why = "its header is damaged";
	char format[FERRYI_FORMAT_SAID];
	struct stat st;
	void *base;
	int r;

	if (ferryi_stat(fd, &st) < 0 || !S_ISREG(st.st_mode) ||
	    ferryi_read_at(fd, &h, sizeof h, 0) != sizeof h)
		return ferryi_fail(
			-EBADMSG,
			"realm %s: .ferry is not a registry (another "
			"program's file? move it away)",
			directory);
	r = ferryi_preamble_check(&h.preamble, FERRYI_KIND_REGISTRY,
				  (uint64_t)st.st_size, &why);
	if (r == 0 &&
	    (h.n_slots != FERRYI_OWNERS ||
	     h.preamble.header_bytes != sizeof h ||
	     h.preamble.total_bytes != FERRYI_REGISTRY_BYTES ||
	     h.checksum !=
		     ferryi_checksum(&h, offsetof(struct ferryi_registry_header,
						  checksum))))
		r = -EBADMSG;
	if (r < 0)
		return ferryi_fail(r,
				   "realm %s: the registry .ferry cannot be "
				   "used: %s (%smove it away when nobody uses "
				   "the realm)",
				   directory, why,
				   ferryi_other_format(&h.preamble, format));
	base = ferryi_map(fd, FERRYI_REGISTRY_BYTES);
	if (!base)
		return ferryi_fail(-ENOMEM,
				   "realm %s: no address space for the "
				   "registry",
				   directory);
	attach(g, base);
	return 0;
}

int ferryi_registry_open(struct ferryi_registry *out, int dir,
			 const char *directory, bool create)
{
	int fd = ferryi_open_at(dir, FERRYI_REGISTRY_NAME), r;

	/* again: it may be retired before we have opened it */
	for (unsigned n = 0; fd == -ENOENT && create && n < ROUNDS; n++) {
		r = make(dir, directory);
		if (r < 0)
			return r;
		fd = ferryi_open_at(dir, FERRYI_REGISTRY_NAME);
	}
	if (fd == -ENOENT)
		return ferryi_fail(-ENOENT, "realm %s: nobody has used it yet",
				   directory);
	if (fd < 0)
		return ferryi_fail_sys(-fd,
				       "realm %s: cannot open its registry "
				       "(who may is shown by ls -la)",
				       directory);
	r = map(out, fd, directory);
	if (r < 0) {
		ferryi_close(fd);
		return r;
	}
	return fd;
}

int ferryi_registry_reserve(struct ferryi_registry *g, int fd, uint32_t i)
{
	uint64_t at =
		FERRYI_HEADER_BYTES + sizeof(struct ferryi_registry_control);
	uint32_t old = ferryi_registry_slots(g), to = i + FERRYI_SLOTS_FIRST;
	int r;

	if (i < old)
		return 0;
	to = to < FERRYI_OWNERS ? to : FERRYI_OWNERS;
	r = ferryi_reserve(fd, at + (uint64_t)old * sizeof(struct ferryi_slot),
			   (uint64_t)(to - old) * sizeof(struct ferryi_slot));
	if (r < 0)
		return r;
	/* G2: reserved, not yet marked; the next one reserves it again */
	while ((old = ferryi_load(&g->control->reserved)) < to)
		ferryi_cas32(&g->control->reserved, old, to);
	return 0;
}
