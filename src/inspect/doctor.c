/* SPDX-License-Identifier: MIT */
/*
 * ferry_doctor(): is this machine fit for Ferry?  Each check adds findings, with
 * what to do where something can be done.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "inspect/inspect.h"
#include "sys/files.h"
#include "sys/futex.h"
#include "sys/machine.h"
#include "sys/process.h"

struct doctor {
	const char *path;
	struct ferryi_list list;
};

static void say(struct doctor *d, enum ferry_health health, const char *topic,
		const char *fix, const char *fmt, ...)
	__attribute__((format(printf, 5, 6)));

static void say(struct doctor *d, enum ferry_health health, const char *topic,
		const char *fix, const char *fmt, ...)
{
	struct ferry_finding *f = ferryi_list_add(&d->list, sizeof *f);
	va_list args;

	if (!f)
		return;
	f->health = health;
	snprintf(f->topic, sizeof f->topic, "%s", topic);
	snprintf(f->fix, sizeof f->fix, "%s", fix);
	va_start(args, fmt);
	vsnprintf(f->what, sizeof f->what, fmt, args);
	va_end(args);
}

static int check_realm(struct doctor *d)
{
	int dir = ferryi_realm_directory(d->path, false);
	struct stat st;

	if (dir == -ENOENT) {
		say(d, FERRY_GOOD, "realm", "",
		    "%s: not there yet; the first mailbox makes it", d->path);
		return dir;
	}
	if (dir < 0) {
		say(d, FERRY_BROKEN, "realm", "see the sentence", "%s",
		    ferryi_fail_sentence(dir) ? ferryi_fail_sentence(dir) :
						d->path);
		return dir;
	}
	ferryi_stat(dir, &st);
	say(d, FERRY_GOOD, "realm", "", "%s: uid %u, mode %04o", d->path,
	    st.st_uid, st.st_mode & 07777);
	return dir;
}

static void check_memory(struct doctor *d, int dir)
{
	int fd = dir >= 0 ? dir : ferryi_open_directory("/dev/shm");
	uint64_t space, total;

	if (fd < 0 || ferryi_space(fd, &space, &total) < 0)
		say(d, FERRY_WARNING, "memory",
		    "mount a tmpfs on /dev/shm, or set FERRY_REALM",
		    "there is no /dev/shm");
	else
		say(d, space < (64u << 20) ? FERRY_WARNING : FERRY_GOOD,
		    "memory",
		    space < (64u << 20) ?
			    "mount -o remount,size=1G /dev/shm (in "
			    "a container: --shm-size)" :
			    "",
		    "%llu of %llu MiB free for messages",
		    (unsigned long long)space >> 20,
		    (unsigned long long)total >> 20);
	if (fd >= 0 && fd != dir)
		ferryi_close(fd);
}

/* systemd deletes what a user leaves in /dev/shm at logout; users of system
 * accounts are exempt. */
static void check_remove_ipc(struct doctor *d)
{
	int on = ferryi_machine_remove_ipc();

	if (on < 0)
		say(d, FERRY_GOOD, "RemoveIPC", "",
		    "no systemd-logind here: nothing is deleted at logout");
	else if (on && ferryi_uid() >= 1000)
		say(d, FERRY_WARNING, "RemoveIPC",
		    "loginctl enable-linger, or RemoveIPC=no in "
		    "/etc/systemd/logind.conf",
		    "systemd deletes your files in /dev/shm when you log out, "
		    "persistent mailboxes too");
	else
		say(d, FERRY_GOOD, "RemoveIPC", "",
		    on ? "on, but it spares system accounts such as yours" :
			 "off: mailboxes stay after logout");
}

static void check_limits(struct doctor *d)
{
	uint64_t files = ferryi_machine_max_files();
	uint64_t space = ferryi_machine_max_address_space();

	say(d, files < 256 ? FERRY_WARNING : FERRY_GOOD, "limits",
	    files < 256 ? "ulimit -n 1024" : "",
	    "%llu descriptors for a process; a mailbox needs one, a realm two",
	    (unsigned long long)files);
	if (space != UINT64_MAX)
		say(d, FERRY_WARNING, "limits", "ulimit -v unlimited",
		    "address space is limited to %llu MiB; a mailbox with large "
		    "messages reserves more than it uses",
		    (unsigned long long)space >> 20);
}

static void check_kernel(struct doctor *d)
{
	if (ferryi_futex_has_waitv())
		say(d, FERRY_GOOD, "kernel", "",
		    "futex_waitv is there: idle processes use no CPU");
	else
		say(d, FERRY_NOTE, "kernel", "Linux 5.16 or later",
		    "futex_waitv is not there: idle receivers wake every 20 ms, "
		    "and a death is noticed within a second");
	if (!ferryi_machine_has_robust_list())
		say(d, FERRY_WARNING, "kernel", "",
		    "the robust list is not there (an emulator?): deaths are "
		    "noticed by the safety net only, within a second");
	if (ferryi_identity()->start_time == 0)
		say(d, FERRY_WARNING, "kernel", "mount /proc",
		    "there is no /proc: new mailboxes cannot be named on some "
		    "kernels, and start times are unknown");
}

int ferry_doctor(const char *realm, struct ferry_finding **out, size_t *n_out)
{
	struct doctor d = { 0 };
	char path[4096];
	int r, dir;

	ferryi_fail_clear();
	r = ferryi_inspect_path(realm, path, sizeof path);
	if (r < 0)
		return r;
	d.path = path;
	dir = check_realm(&d);
	check_memory(&d, dir);
	check_remove_ipc(&d);
	check_limits(&d);
	check_kernel(&d);
	ferryi_close(dir);
	*out = (void *)d.list.items;
	*n_out = d.list.n;
	return d.list.items ? 0 : ferryi_fail(-ENOMEM, "out of memory");
}
