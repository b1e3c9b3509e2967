/* SPDX-License-Identifier: MIT */
/* file:PATH: how many records a log has, and whether it ends with a torn one. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "base/error.h"
#include "link/figures.h"
#include "link/file.h"
#include "link/file_log.h"
#include "link/queues.h"
#include "sys/files.h"

/* Those that are whole, by their first lines; where one is damaged, the next one is
 * looked for. */
static int64_t count(int fd, uint64_t end)
{
	uint64_t at = FERRYI_RECORD_START;
	struct ferryi_record r;
	int64_t n = 0;
	int found;

	while (at < end) {
		found = ferryi_log_look(fd, end, at, &r);
		if (found >= 0 && found != FERRYI_LOG_RECORD &&
		    ferryi_log_find(fd, end, at, &r) != 1)
			break;
		if (found < 0)
			return found;
		n++;
		at = ferryi_record_end(&r);
	}
	return n;
}

static int read_log(int fd, struct ferryi_figures *out)
{
	uint64_t end = 0;
	struct stat st;
	int64_t n = 0;
	int err = ferryi_stat(fd, &st), is_log;

	if (err)
		return err;
	is_log = ferryi_log_is_one(fd);
	if (is_log < 0 && is_log != -EPROTO && is_log != -EBADMSG)
		return is_log;
	ferryi_figure(out, "log", FERRY_YES_NO, is_log == 1);
	ferryi_figure(out, "bytes", FERRY_BYTES, st.st_size);
	if (is_log != 1)
		return 0;
	err = ferryi_log_end(fd, (uint64_t)st.st_size, 0, &end);
	if (!err)
		n = count(fd, end);
	if (err || n < 0)
		return err ? err : (int)n;
	ferryi_figure(out, "records", FERRY_COUNT, n);
	ferryi_figure(out, "torn", FERRY_BYTES, st.st_size - (int64_t)end);
	return 0;
}

int ferryi_file_figures(const char *rest, struct ferryi_figures *out)
{
	struct ferryi_address a;
	struct stat st;
	int err = ferryi_queue_identify("file", rest, &st), fd;

	if (!err)
		err = ferryi_queue_parse(&a, "file", rest);
	if (err)
		return err;
	if (!S_ISREG(st.st_mode))
		return ferryi_fail(-EINVAL, "file:%.300s is no regular file",
				   a.rest);
	fd = ferryi_open_read_at(AT_FDCWD, a.rest);
	err = fd < 0 ? fd : read_log(fd, out);
	if (fd >= 0)
		ferryi_close(fd);
	return err ? ferryi_fail_sys(-err, "file:%.300s cannot be read: %s",
				     a.rest, strerror(-err)) :
		     0;
}
