/* SPDX-License-Identifier: MIT */
/*
 * Names of processes, as seen from outside: who has one, and who is connected
 * there.  To ask who listens is to connect for a moment: the holder notices a
 * connection that says nothing.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "inspect/inspect.h"
#include "link/process.h"
#include "sys/files.h"
#include "sys/peers.h"
#include "sys/process.h"

#define SCHEME "process:"

bool ferryi_inspect_is_door(const char *name)
{
	return strncmp(name, FERRYI_PROCESS_PREFIX,
		       strlen(FERRYI_PROCESS_PREFIX)) == 0;
}

const char *ferryi_inspect_process(const char *name)
{
	size_t n = strlen(SCHEME);

	return name && strncmp(name, SCHEME, n) == 0 ? name + n : NULL;
}

/* The path by which the holder is bound, which is how the kernel calls it. */
static int path_of(int dir, const char *name,
		   char out[FERRYI_SOCKET_PATH_MAX + 1])
{
	char real[4096];

	ferryi_path_of(dir, real, sizeof real);
	return ferryi_door_path(real, name, out);
}

void ferryi_inspect_door(int dir, const char *name, struct ferry_object *out)
{
	char path[FERRYI_SOCKET_PATH_MAX + 1];
	struct ferry_process holder;
	struct stat st;
	int r = path_of(dir, name, path);

	snprintf(out->name, sizeof out->name, SCHEME "%.*s",
		 FERRY_NAME_MAX - (int)strlen(SCHEME), name);
	snprintf(out->kind, sizeof out->kind, "process");
	if (r == 0 && ferryi_stat_path(path, &st) == 0) {
		out->uid = st.st_uid;
		out->gid = st.st_gid;
		out->mode = st.st_mode & 07777;
		out->created_at =
			FERRY_S(st.st_ctim.tv_sec) + st.st_ctim.tv_nsec;
	}
	if (r == 0)
		r = ferryi_door_holder(path, &holder);
	if (r == 0 || r == -EAGAIN)
		return;
	out->state = r == -ENOENT ? FERRY_ABANDONED : FERRY_NO_ACCESS;
	snprintf(out->why, sizeof out->why,
		 r == -ENOENT ? "the process that had this name has died "
				"(ferry gc --apply removes it)" :
				"who has this name is not yours to ask");
}

/* --- who --------------------------------------------------------------------- */

struct users {
	struct ferryi_list *list;
	pid_t holder;
};

static struct ferry_user *add(struct ferryi_list *list,
			      const struct ferry_process *p)
{
	struct ferry_user *u = ferryi_list_add(list, sizeof *u);

	if (!u)
		return NULL;
	u->process = *p;
	u->alive = true;
	u->same_namespace = p->pid != 0;
	return u;
}

static bool is_known(const struct users *w, pid_t pid)
{
	const struct ferry_user *u = (const void *)w->list->items;

	for (size_t i = 0; i < w->list->n; i++)
		if (u[i].process.pid == pid)
			return true;
	return pid == w->holder;
}

static int add_peer(pid_t pid, unsigned holding, void *arg)
{
	struct users *w = arg;
	struct ferry_process p = { .proof = FERRY_KERNEL };

	(void)holding;
	if (is_known(w, pid) || !ferryi_inspect_pid(pid, &p))
		return 0;
	return add(w->list, &p) ? 0 : -ENOMEM;
}

static int list_users(const char *path, const struct stat *st,
		      struct ferryi_list *list)
{
	struct ferry_process holder;
	struct users w = { .list = list };
	struct ferryi_inodes sockets = { 0 };
	struct ferry_user *u;
	dev_t device = 0;
	int r = ferryi_door_holder(path, &holder);

	if (r == -ENOENT)
		return 0;
	if (r < 0)
		return ferryi_fail_sys(-r, "%s: its holder cannot be asked",
				       path);
	u = add(list, &holder);
	if (!u)
		return -ENOMEM;
	u->since = FERRY_S(st->st_ctim.tv_sec) + st->st_ctim.tv_nsec;
	w.holder = holder.pid;
	/* Where the kernel cannot tell, the holder is what is known. */
	r = ferryi_unix_users(path, st, &sockets);
	if (r == 0)
		r = ferryi_sockets_device(&device);
	if (r == 0)
		r = ferryi_holders_of(device, &sockets, add_peer, &w);
	ferryi_inodes_fini(&sockets);
	return r == -ENOMEM ? r : 0;
}

int ferryi_inspect_door_users(int dir, const char *name,
			      struct ferryi_list *list)
{
	char path[FERRYI_SOCKET_PATH_MAX + 1];
	struct stat st;
	int r = path_of(dir, name, path);

	if (r < 0)
		return r;
	if (ferryi_stat_path(path, &st) < 0)
		return ferryi_fail(-ENOENT, "no process has the name %s", name);
	r = list_users(path, &st, list);
	return r == -ENOMEM ? ferryi_fail(r, "out of memory") : r;
}
