/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * TCP between two sockets of one node, without the stack in between.
 *
 * bypass_sockops, at the cgroup root, sees connections being made and puts both
 * ends of a local one into a sockhash; bypass_msg, on the sockhash, moves what
 * one end sends straight into the receive queue of the other.
 *
 * Order. A receiver reads the bytes that were moved first and those that came
 * by TCP afterwards (tcp_bpf_recvmsg). So in each direction moved bytes may be
 * followed by TCP bytes, never the reverse: a direction is moved from its very
 * first byte or not at all, and once it has sent one byte by TCP it stays there.
 *
 * Identity. The key of a socket holds, beside addresses and ports, the sequence
 * numbers both directions began with. Two sockets match only if they are the
 * two ends of one connection: not if a NAT or a proxy stands between them, not
 * if another network namespace uses the same addresses, and not if the ports
 * are used anew.
 */
#include "kernel.h"

/* The end of a connection, as seen from there. */
struct end {
	u32 local_ip[4]; /* network order; IPv4 as ::ffff:a.b.c.d */
	u32 remote_ip[4];
	u32 local_port; /* host order */
	u32 remote_port;
	u32 first_sent; /* sequence number of the first byte in each direction */
	u32 first_received;
};

/* The sending direction of a socket in the sockhash. */
struct flow {
	struct end peer;
	u32 left;     /* has left for TCP, for good */
	u32 messages; /* moved since the peer's queue was last seen empty */
	u64 bytes;
};

struct counters {
	u64 connections; /* local connections with both ends in the sockhash */
	u64 messages;    /* moved to the peer */
	u64 bytes;
	u64 fallbacks; /* directions of local connections that left for TCP */
	u64 errors;    /* sockets the sockhash did not take */
};

struct {
	__uint(type, BPF_MAP_TYPE_SOCKHASH);
	__uint(max_entries, 65536);
	__type(key, struct end);
	__type(value, u64);
} sockets SEC(".maps");

/* The same sockets once more: the sockhash can't be read from these programs.
 * The value is the address of the socket's struct sk_psock, which holds its
 * queue of moved messages; it is only ever read with bpf_probe_read_kernel. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 65536);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, struct end);
	__type(value, u64);
} queues SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_SK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, s32);
	__type(value, struct flow);
} flows SEC(".maps");

/* Connections a listener of this node was asked for, by the client's end. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 16384);
	__type(key, struct end);
	__type(value, u8);
} asked SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, struct counters);
} counted SEC(".maps");

/* A receiver that doesn't read may have this much waiting, then its sender
 * leaves for TCP, whose window makes it wait. Messages count too: each costs
 * some 700 bytes of kernel memory, however short. */
const volatile u64 max_bytes = 1 << 20;
const volatile u32 max_messages = 1024;

/* Listening ports to accelerate; all, unless some_ports is set. */
const volatile u32 some_ports;

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 256);
	__type(key, u32); /* host order */
	__type(value, u8);
} ports SEC(".maps");

/* Set when the loader goes: nothing more is moved. */
volatile u32 draining;

static __always_inline struct counters *counters(void)
{
	u32 zero = 0;
	return bpf_map_lookup_elem(&counted, &zero);
}

/* All loads before any branch: the verifier wants each relative to the context,
 * and the compiler would join those of two branches. */
static __always_inline int read_end(volatile struct bpf_sock_ops *skops, struct end *end)
{
	u32 family = skops->family, local_ip4 = skops->local_ip4, remote_ip4 = skops->remote_ip4;

	end->local_ip[0] = skops->local_ip6[0];
	end->local_ip[1] = skops->local_ip6[1];
	end->local_ip[2] = skops->local_ip6[2];
	end->local_ip[3] = skops->local_ip6[3];
	end->remote_ip[0] = skops->remote_ip6[0];
	end->remote_ip[1] = skops->remote_ip6[1];
	end->remote_ip[2] = skops->remote_ip6[2];
	end->remote_ip[3] = skops->remote_ip6[3];
	end->local_port = skops->local_port;
	end->remote_port = __builtin_bswap32(skops->remote_port);
	if (family == AF_INET) {
		end->local_ip[0] = end->local_ip[1] = end->remote_ip[0] = end->remote_ip[1] = 0;
		end->local_ip[2] = end->remote_ip[2] = __builtin_bswap32(0xffff);
		end->local_ip[3] = local_ip4;
		end->remote_ip[3] = remote_ip4;
	}
	return family == AF_INET || family == AF_INET6 ? 0 : -1;
}

static __always_inline void turn(const struct end *end, struct end *other)
{
	__builtin_memcpy(other->local_ip, end->remote_ip, sizeof(other->local_ip));
	__builtin_memcpy(other->remote_ip, end->local_ip, sizeof(other->remote_ip));
	other->local_port = end->remote_port;
	other->remote_port = end->local_port;
	other->first_sent = end->first_received;
	other->first_received = end->first_sent;
}

static __always_inline int insert(struct bpf_sock_ops *skops, struct end *self, const struct end *peer)
{
	struct bpf_sock *sk = skops->sk;
	struct counters *c;
	struct tcp_sock *tcp;
	struct flow *flow;
	u64 psock;

	/* Fast Open has sent a byte by TCP already. */
	if (!sk || skops->data_segs_out)
		return -1;
	tcp = bpf_skc_to_tcp_sock(sk);
	if (!tcp || tcp->inet_conn.icsk_ulp_ops || (field_exists(tcp->is_mptcp) && tcp->is_mptcp))
		return -1;
	flow = bpf_sk_storage_get(&flows, sk, 0, BPF_SK_STORAGE_GET_F_CREATE);
	if (!flow)
		goto full;
	flow->peer = *peer;
	if (bpf_sock_hash_update(skops, &sockets, self, BPF_NOEXIST))
		goto full;
	/* The kernel keeps flags in the lowest bits of the pointer. */
	psock = (u64)tcp->inet_conn.icsk_inet.sk.sk_user_data & ~7ULL;
	if (bpf_map_update_elem(&queues, self, &psock, BPF_ANY))
		goto full;
	bpf_sock_ops_cb_flags_set(skops, skops->bpf_sock_ops_cb_flags | BPF_SOCK_OPS_STATE_CB_FLAG);
	return 0;
full:
	c = counters();
	if (c)
		c->errors++;
	return -1;
}

SEC("sockops")
int bypass_sockops(struct bpf_sock_ops *skops)
{
	struct end self = {}, peer = {};
	struct counters *c;
	struct flow *flow;
	u8 yes = 1;

	switch (skops->op) {
	case BPF_SOCK_OPS_RWND_INIT: /* a SYN reached a listener; or our own connect */
		if (skops->is_fullsock || read_end(skops, &self))
			break;
		if (some_ports && !bpf_map_lookup_elem(&ports, &self.local_port))
			break;
		turn(&self, &peer);
		bpf_map_update_elem(&asked, &peer, &yes, BPF_ANY);
		break;

	case BPF_SOCK_OPS_ACTIVE_ESTABLISHED_CB:
		/* Before connect returns. The listener's node is ours if it left
		 * word; else the peer is elsewhere and the socket stays untouched. */
		if (read_end(skops, &self) || bpf_map_delete_elem(&asked, &self))
			break;
		self.first_sent = skops->snd_nxt;
		self.first_received = skops->rcv_nxt;
		turn(&self, &peer);
		insert(skops, &self, &peer);
		break;

	case BPF_SOCK_OPS_PASSIVE_ESTABLISHED_CB:
		/* Before accept returns, and after the client's turn above. */
		if (read_end(skops, &self))
			break;
		turn(&self, &peer);
		bpf_map_delete_elem(&asked, &peer);
		self.first_sent = peer.first_received = skops->snd_nxt;
		self.first_received = peer.first_sent = skops->rcv_nxt;
		if (!bpf_map_lookup_elem(&queues, &peer) || insert(skops, &self, &peer))
			break;
		c = counters();
		if (c)
			c->connections++;
		break;

	case BPF_SOCK_OPS_STATE_CB:
		/* The kernel itself takes closed sockets out of the sockhash. */
		if (skops->args[1] != TCP_CLOSE || !skops->sk)
			break;
		flow = bpf_sk_storage_get(&flows, skops->sk, 0, 0);
		if (!flow)
			break;
		turn(&flow->peer, &self);
		bpf_map_delete_elem(&queues, &self);
		break;
	}
	return 1;
}

/* Whether the peer is there and can take a message of this size. */
static __always_inline int peer_takes(struct flow *flow, u32 size)
{
	u64 *psock = bpf_map_lookup_elem(&queues, &flow->peer);
	struct list_head *queue, *first;

	if (!psock)
		return 0;
	queue = &((struct sk_psock *)*psock)->ingress_msg;
	if (bpf_probe_read_kernel(&first, sizeof(first), &queue->next))
		return 0;
	if (first == queue) { /* empty */
		flow->messages = 0;
		flow->bytes = 0;
	}
	flow->messages++;
	flow->bytes += size;
	return flow->messages == 1 || (flow->messages <= max_messages && flow->bytes <= max_bytes);
}

SEC("sk_msg")
int bypass_msg(struct sk_msg_md *msg)
{
	struct bpf_sock *sk = msg->sk;
	struct counters *c = counters();
	struct tcp_sock *tcp;
	struct flow *flow;

	if (!sk || !c || draining)
		return SK_PASS;
	flow = bpf_sk_storage_get(&flows, sk, 0, 0);
	tcp = bpf_skc_to_tcp_sock(sk);
	/* After shutdown the write must fail, which TCP sees to. */
	if (!flow || flow->left || !tcp || tcp->inet_conn.icsk_inet.sk.sk_shutdown & SEND_SHUTDOWN)
		return SK_PASS;
	/* An upper layer (kTLS) would have plain text moved. */
	if (!tcp->inet_conn.icsk_ulp_ops && peer_takes(flow, msg->size) &&
	    bpf_msg_redirect_hash(msg, &sockets, &flow->peer, BPF_F_INGRESS) == SK_PASS) {
		c->messages++;
		c->bytes += msg->size;
		return SK_PASS;
	}
	flow->left = 1;
	c->fallbacks++;
	return SK_PASS;
}

char _license[] SEC("license") = "GPL";
