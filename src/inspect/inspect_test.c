/* SPDX-License-Identifier: MIT */
/* Looking at a realm in which something of everything lies. */
#include "inspect/inspect.h"

#include "unit.h"

static struct {
	uint32_t ready, go, end;
} * s;

static void setup(void)
{
	struct ferry_garbage *g;
	size_t n;

	s = shared(sizeof *s);
	ok(ferry_gc(NULL, true, &g, &n)); /* of the test before */
	ferry_free(g);
}

static struct ferry_link *make(const char *name,
			       enum ferry_persistence persistence)
{
	struct ferry_mailbox_options o = FERRY_MAILBOX_OPTIONS;
	struct ferry_link *l = NULL;

	o.capacity = 8;
	o.message_max = 64;
	o.persistence = persistence;
	ok(ferry_mailbox_create(&l, name, &o));
	return l;
}

/* --- a realm with something of everything ------------------------------------- */

static void make_and_stay(void *arg)
{
	struct ferry_link *l = make(arg, FERRY_PERSIST_PROCESS);

	ok(ferry_send(l, "x", 1, FERRY_NOWAIT));
	gate_add(&s->ready);
	stay();
}

static void abandon(const char *name)
{
	uint32_t before = gate_count(&s->ready);
	pid_t pid = child(make_and_stay, (void *)(uintptr_t)name);

	gate_await(&s->ready, before + 1);
	kill_child(pid);
}

static void make_kept(void *arg)
{
	ferry_close(make(arg, FERRY_PERSIST_KERNEL));
}

/* Makes it in a child: this process must not have it mapped. */
static void kept(const char *name)
{
	expect_exit(child(make_kept, (void *)(uintptr_t)name), 0);
}

static struct ferry_link *furnish(void)
{
	static const uint8_t ones[8] = {
		255, 255, 255, 255, 255, 255, 255, 255
	};
	struct ferry_link *l;

	kept("d-damaged");
	scribble("d-damaged", ones, 8, sizeof(struct ferryi_preamble));
	kept("e-other");
	scribble("e-other", ones, 4, offsetof(struct ferryi_preamble, format));
	kept("f-kept");
	scribble("c-foreign", "hello\n", 6, 0);
	l = make("a-live", FERRY_PERSIST_PROCESS);
	abandon("b-abandoned");
	return l;
}

static void clear(struct ferry_link *l)
{
	ferry_close(l);
	erase("c-foreign");
	erase("d-damaged");
	erase("e-other");
	erase("f-kept");
}

static const struct {
	const char *name;
	enum ferry_state state;
} things[] = {
	{ "a-live", FERRY_LIVE },	    { "b-abandoned", FERRY_ABANDONED },
	{ "c-foreign", FERRY_FOREIGN },	    { "d-damaged", FERRY_DAMAGED },
	{ "e-other", FERRY_OTHER_VERSION }, { "f-kept", FERRY_LIVE },
};

#define N_THINGS (sizeof things / sizeof things[0])

static void check_thing(const struct ferry_object *o, size_t i)
{
	ck_assert_str_eq(o->name, things[i].name);
	ck_assert_int_eq(o->state, things[i].state);
	ck_assert_uint_eq(o->uid, geteuid());
	ck_assert_uint_eq(o->mode, 0600);
	if (o->state == FERRY_LIVE) {
		ck_assert_str_eq(o->why, "");
		ck_assert_str_eq(o->kind, "mailbox");
		ck_assert_uint_eq(o->mailbox.options.capacity, 8);
		ck_assert_int_gt(o->created_at, 0);
	} else
		ck_assert_uint_gt(strlen(o->why), 10);
	if (o->state == FERRY_ABANDONED)
		ck_assert_uint_eq(o->mailbox.queued, 1);
}

/* The list is what `things` says; with `without`, all but that one. */
static void check_list(const char *without)
{
	struct ferry_object *list;
	size_t n, at = 0;

	ok(ferry_list(NULL, &list, &n));
	ck_assert_uint_eq(n, N_THINGS - (without != NULL));
	for (size_t i = 0; i < N_THINGS; i++)
		if (!without || strcmp(things[i].name, without) != 0)
			check_thing(&list[at++], i);
	ferry_free(list);
}

START_TEST(a_list_has_every_object_by_name_with_its_state)
{
	struct ferry_link *l = furnish();

	check_list(NULL);
	check_list(NULL); /* looking changes nothing */
	clear(l);
	ck_assert(exists("b-abandoned"));
	erase("b-abandoned");
}
END_TEST

START_TEST(an_object_is_looked_at_by_name_address_or_path)
{
	struct ferry_link *l = furnish();
	struct ferry_object o;
	char path[300];

	for (size_t i = 0; i < N_THINGS; i++) {
		ok(ferry_look(things[i].name, &o));
		check_thing(&o, i);
		snprintf(path, sizeof path, "mailbox:%s", things[i].name);
		ok(ferry_look(path, &o));
		check_thing(&o, i);
		snprintf(path, sizeof path, "%s/%s", realm_path(),
			 things[i].name);
		ok(ferry_look(path, &o));
		check_thing(&o, i);
	}
	fails_saying(ferry_look("nothing", &o), -ENOENT, "nothing");
	fails(ferry_look("a:b", &o), -EINVAL);
	fails(ferry_look("/no/where", &o), -ENOENT);
	clear(l);
	erase("b-abandoned");
}
END_TEST

START_TEST(a_realm_that_is_absent_holds_nothing)
{
	struct ferry_garbage *g;
	struct ferry_object *o;
	struct ferry_user *u;
	size_t n = 1;

	ok(ferry_list("/no/where", &o, &n));
	ck_assert_uint_eq(n, 0);
	ferry_free(o);
	n = 1;
	ok(ferry_who("/no/where", NULL, &u, &n));
	ck_assert_uint_eq(n, 0);
	ferry_free(u);
	n = 1;
	ok(ferry_gc("/no/where", true, &g, &n));
	ck_assert_uint_eq(n, 0);
	ferry_free(g);
}
END_TEST

static void look_as_stranger(void *arg)
{
	struct ferry_object *list, o;
	struct ferry_link *l;
	size_t n;

	(void)arg;
	ck_assert_int_eq(setgid(12345), 0);
	ck_assert_int_eq(setuid(12345), 0);
	ok(ferry_list(NULL, &list, &n));
	ck_assert_uint_eq(n, 1);
	ck_assert_int_eq(list[0].state, FERRY_NO_ACCESS);
	ck_assert_ptr_nonnull(strstr(list[0].why, "belongs to uid 0"));
	ferry_free(list);
	ok(ferry_look("jobs", &o));
	ck_assert_int_eq(o.state, FERRY_NO_ACCESS);
	ck_assert_uint_eq(o.mode, 0600);
	fails(ferry_open(&l, "jobs", FERRY_RECV), -EACCES);
}

START_TEST(an_object_of_somebody_else_says_whose_it_is)
{
	struct ferry_link *l;

	if (geteuid() != 0)
		return; /* only root can become somebody else */
	l = make("jobs", FERRY_PERSIST_PROCESS);
	ck_assert_int_eq(chmod(realm_path(), 0755), 0);
	expect_exit(child(look_as_stranger, NULL), 0);
	ferry_close(l);
}
END_TEST

/* --- who ------------------------------------------------------------------------ */

static void hold_and_stay(void *arg)
{
	struct ferry_message m[2], loan;
	struct ferry_link *l;

	(void)arg;
	prctl(PR_SET_NAME, "holder");
	ok(ferry_open(&l, "jobs", FERRY_DUPLEX));
	ok(ferry_take(l, &m[0], SOON));
	ok(ferry_take(l, &m[1], SOON));
	ok(ferry_loan(l, 8, &loan, SOON));
	gate_add(&s->ready);
	stay();
}

static const struct ferry_user *user(const struct ferry_user *u, size_t n,
				     pid_t pid)
{
	for (size_t i = 0; i < n; i++)
		if (u[i].process.pid == pid)
			return &u[i];
	return NULL;
}

START_TEST(who_tells_what_each_process_holds_and_whether_it_lives)
{
	struct ferry_link *l = make("jobs", FERRY_PERSIST_PROCESS);
	const struct ferry_user *h;
	struct ferry_user *u;
	char path[300];
	pid_t pid;
	size_t n;

	for (int i = 0; i < 3; i++)
		ok(ferry_send(l, "x", 1, FERRY_NOWAIT));
	pid = child(hold_and_stay, NULL);
	gate_await(&s->ready, 1);
	for (int alive = 1; alive >= 0; alive--) {
		ok(ferry_who(NULL, "jobs", &u, &n));
		ck_assert_uint_eq(n, 2);
		h = user(u, n, pid);
		ck_assert_ptr_nonnull(h);
		ck_assert_uint_eq(h->holds, 2);
		ck_assert_uint_eq(h->loans, 1);
		ck_assert_int_gt(h->oldest_ns, 0);
		ck_assert_int_eq(h->alive, alive);
		ck_assert(h->same_namespace);
		ck_assert_int_gt(h->since, 0);
		ck_assert_str_eq(h->process.name, "holder");
		h = user(u, n, getpid());
		ck_assert_ptr_nonnull(h);
		ck_assert_uint_eq(h->holds + h->loans, 0);
		ck_assert_int_eq(h->oldest_ns, 0);
		ck_assert(h->alive);
		ferry_free(u);
		ok(ferry_who(realm_path(), NULL, &u, &n));
		ck_assert_uint_eq(n, 2);
		ferry_free(u);
		if (alive)
			kill_child(pid);
	}
	snprintf(path, sizeof path, "%s/jobs", realm_path());
	ok(ferry_who(NULL, path, &u, &n));
	ck_assert_uint_eq(n, 2);
	ferry_free(u);
	fails(ferry_who(NULL, "nothing", &u, &n), -ENOENT);
	ferry_close(l);
}
END_TEST

/* --- gc --------------------------------------------------------------------------- */

static unsigned gc(bool apply)
{
	struct ferry_garbage *g;
	unsigned removed = 0;
	size_t n;

	ok(ferry_gc(NULL, apply, &g, &n));
	for (size_t i = 0; i < n; i++) {
		ck_assert_uint_gt(strlen(g[i].why), 10);
		ck_assert_int_eq(strncmp(g[i].path, realm_path(),
					 strlen(realm_path())),
				 0);
		ck_assert(apply || !g[i].removed);
		removed += g[i].removed;
	}
	ferry_free(g);
	return apply ? removed : (unsigned)n;
}

START_TEST(gc_changes_nothing_unless_it_is_told_to)
{
	struct ferry_link *l = furnish();
	struct ferry_user *u;
	size_t n;

	for (int i = 0; i < 2; i++) {
		ck_assert_uint_eq(gc(false), 2); /* a mailbox and a lease */
		check_list(NULL);
	}
	ok(ferry_who(NULL, NULL, &u, &n));
	ck_assert_uint_eq(n, 2);
	ferry_free(u);
	ck_assert_uint_ge(gc(true), 1);
	check_list("b-abandoned");
	ck_assert_uint_eq(gc(false), 0);
	ok(ferry_who(NULL, NULL, &u, &n));
	ck_assert_uint_eq(n, 1);
	ferry_free(u);
	clear(l);
}
END_TEST

static void nothing(void *arg)
{
	(void)arg;
}

START_TEST(gc_removes_an_unfinished_file_only_of_a_dead_maker)
{
	pid_t dead = child(nothing, NULL);
	char gone[64], mine[64];

	expect_exit(dead, 0);
	snprintf(gone, sizeof gone, ".unfinished.%d.1", (int)dead);
	snprintf(mine, sizeof mine, ".unfinished.%d.1", (int)getpid());
	scribble(gone, "x", 1, 0);
	scribble(mine, "x", 1, 0);
	ck_assert_uint_eq(gc(false), 1);
	ck_assert(exists(gone));
	ck_assert_uint_eq(gc(true), 1);
	ck_assert(!exists(gone));
	ck_assert(exists(mine));
	erase(mine);
}
END_TEST

static void listen_and_stay(void *arg)
{
	struct ferry_link *door;

	ok(ferry_listen(&door, arg));
	gate_add(&s->ready);
	stay();
}

START_TEST(gc_removes_a_door_only_when_nobody_listens_behind_it)
{
	struct ferry_link *living, *l, *peer;
	pid_t pid;

	ok(ferry_listen(&living, "channel:living"));
	pid = child(listen_and_stay, (void *)(uintptr_t) "channel:dead");
	gate_await(&s->ready, 1);
	ck_assert_uint_eq(gc(true), 0);
	kill_child(pid);
	ck_assert_uint_eq(gc(false), 1);
	ck_assert(exists(".channel.dead"));
	ck_assert_uint_eq(gc(true), 1);
	ck_assert(!exists(".channel.dead"));
	/* the living one had visitors, who are in nobody's way */
	ok(ferry_open(&l, "channel:living", FERRY_DUPLEX));
	ok(ferry_accept(living, &peer, FERRY_FOREVER));
	ferry_close(peer);
	ferry_close(l);
	ferry_close(living);
}
END_TEST

START_TEST(gc_removes_the_registry_of_a_realm_that_nobody_uses)
{
	struct ferry_link *l = make("jobs", FERRY_PERSIST_PROCESS);

	ck_assert_uint_eq(gc(true), 0);
	ck_assert(exists(".ferry"));
	ferry_close(l);
	ck_assert_uint_eq(gc(false), 1);
	ck_assert(exists(".ferry"));
	ck_assert_uint_eq(gc(true), 1);
	ck_assert(!exists(".ferry"));
	ck_assert_uint_eq(gc(true), 0);
}
END_TEST

/* Send, take, hold, give back: until told to end. */
static void work(void *arg)
{
	struct ferry_link *l = make(arg, FERRY_PERSIST_PROCESS);
	struct ferry_message held, m;
	uint64_t id = 0, got;

	ok(ferry_send(l, "held", 4, FERRY_NOWAIT));
	ok(ferry_take(l, &held, FERRY_NOWAIT));
	gate_add(&s->ready);
	while (!gate_count(&s->end)) {
		id++;
		ok(ferry_send(l, &id, sizeof id, FERRY_NOWAIT));
		ok(ferry_take(l, &m, FERRY_NOWAIT));
		memcpy(&got, m.data, sizeof got);
		ck_assert_uint_eq(got, id);
		ck_assert(!m.redelivered);
		ok(ferry_release(&m));
	}
	ck_assert_mem_eq(held.data, "held", 4);
	ok(ferry_release(&held));
	ferry_close(l);
}

START_TEST(gc_never_touches_what_a_living_process_uses)
{
	char one[] = "one", two[] = "two";
	pid_t a = child(work, one), b = child(work, two);

	gate_await(&s->ready, 2);
	for (unsigned i = 0; i < 100; i++)
		ck_assert_uint_eq(gc(true), 0);
	gate_add(&s->end);
	expect_exit(a, 0);
	expect_exit(b, 0);
}
END_TEST

/* --- doctor ------------------------------------------------------------------------ */

static const struct ferry_finding *find(const struct ferry_finding *f, size_t n,
					const char *topic)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(f[i].topic, topic) == 0)
			return &f[i];
	return NULL;
}

START_TEST(the_doctor_says_of_each_topic_how_it_stands)
{
	static const char *const topics[] = { "realm", "memory", "RemoveIPC",
					      "limits", "kernel" };
	struct ferry_finding *f;
	size_t n;

	ok(ferry_doctor(NULL, &f, &n));
	for (unsigned i = 0; i < 5; i++) {
		const struct ferry_finding *one = find(f, n, topics[i]);

		ck_assert_ptr_nonnull(one);
		ck_assert_uint_gt(strlen(one->what), 10);
	}
	ck_assert_int_eq(find(f, n, "realm")->health, FERRY_GOOD);
	ck_assert_ptr_nonnull(strstr(find(f, n, "realm")->what, realm_path()));
	ferry_free(f);
}
END_TEST

START_TEST(the_doctor_finds_a_realm_that_cannot_be_trusted)
{
	struct ferry_finding *f;
	struct ferry_object *o;
	size_t n;

	ck_assert_int_eq(chmod(realm_path(), 0777), 0);
	ok(ferry_doctor(NULL, &f, &n));
	ck_assert_int_eq(find(f, n, "realm")->health, FERRY_BROKEN);
	ck_assert_ptr_nonnull(strstr(find(f, n, "realm")->what, "0777"));
	ck_assert_uint_gt(strlen(find(f, n, "realm")->fix), 0);
	ferry_free(f);
	fails(ferry_list(NULL, &o, &n), -EACCES);
	chmod(realm_path(), 0700);
}
END_TEST

int main(void)
{
	TCase *t = tcase_create("inspect");

	tcase_add_checked_fixture(t, setup, NULL);
	tcase_add_test(t, a_list_has_every_object_by_name_with_its_state);
	tcase_add_test(t, an_object_is_looked_at_by_name_address_or_path);
	tcase_add_test(t, a_realm_that_is_absent_holds_nothing);
	tcase_add_test(t, an_object_of_somebody_else_says_whose_it_is);
	tcase_add_test(t,
		       who_tells_what_each_process_holds_and_whether_it_lives);
	tcase_add_test(t, gc_changes_nothing_unless_it_is_told_to);
	tcase_add_test(t, gc_removes_an_unfinished_file_only_of_a_dead_maker);
	tcase_add_test(t, gc_removes_a_door_only_when_nobody_listens_behind_it);
	tcase_add_test(t, gc_removes_the_registry_of_a_realm_that_nobody_uses);
	tcase_add_test(t, gc_never_touches_what_a_living_process_uses);
	tcase_add_test(t, the_doctor_says_of_each_topic_how_it_stands);
	tcase_add_test(t, the_doctor_finds_a_realm_that_cannot_be_trusted);
	return unit_main(t, "inspect");
}
