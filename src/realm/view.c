/* SPDX-License-Identifier: MIT */
/* Looking at a mailbox's file without joining it: see segment.h. */
#include <errno.h>
#include <string.h>

#include "base/error.h"
#include "realm/segment.h"
#include "sys/files.h"

static int refuse(struct ferryi_view *v, int err, enum ferry_state state,
		  const char *why)
{
	v->state = state;
	v->why = why;
	ferryi_close(v->fd);
	v->fd = -1;
	return err;
}

/* The header is read once, into private memory; only that copy is used. */
static int read_header(struct ferryi_view *v)
{
	ssize_t n = ferryi_read_at(v->fd, &v->header, sizeof v->header, 0);

	if (n < (ssize_t)sizeof(struct ferryi_preamble))
		return n < 0 ? (int)n : -EBADMSG;
	if (n < (ssize_t)sizeof v->header)
		memset((char *)&v->header + n, 0, sizeof v->header - (size_t)n);
	return 0;
}

int ferryi_view_open(struct ferryi_view *v, int fd)
{
	void *base;
	int r;

	memset(v, 0, sizeof *v);
	v->fd = fd;
	r = ferryi_stat(fd, &v->file);
	if (r < 0 || !S_ISREG(v->file.st_mode))
		return refuse(v, -EBADMSG, FERRY_FOREIGN,
			      "it is not a file of ferry's");
	if (read_header(v) < 0)
		return refuse(v, -EBADMSG, FERRY_FOREIGN,
			      "it is not a file of ferry's");
	r = ferryi_layout_check(&v->header, (uint64_t)v->file.st_size, &v->why);
	if (r < 0)
		return refuse(v, r,
			      r == -EPROTO ? FERRY_OTHER_VERSION :
			      v->header.preamble.magic == FERRYI_MAGIC ?
					     FERRY_DAMAGED :
					     FERRY_FOREIGN,
			      v->why);
	base = ferryi_map(fd, v->header.preamble.total_bytes);
	if (!base)
		return refuse(v, -ENOMEM, FERRY_NO_ACCESS,
			      "there is no address space to map it");
	ferryi_queue_attach(&v->queue, base, &v->header);
	v->state = FERRY_LIVE;
	return 0;
}

void ferryi_view_close(struct ferryi_view *v)
{
	if (v->fd < 0)
		return;
	ferryi_unmap(v->queue.base, v->header.preamble.total_bytes);
	ferryi_close(v->fd);
	v->fd = -1;
}
