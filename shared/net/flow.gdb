# gdb -x shared/net/flow.gdb ... : backtraces of flows that are suspended (x86-64).
#
#   flow-list FLOWS       the live flows of a `struct flows *`
#   flow-backtrace FLOW   where a suspended `struct flow *` waits
#
# A suspended flow's registers lie in its ucontext; gdb is lent three of them while it prints.

define flow-list
  set $flow_ = ((struct flows *) $arg0)->first
  while $flow_
    printf "(struct flow *) %p  %s  user=%lu  state=%d", $flow_, $flow_->log.flow, $flow_->owner, $flow_->state
    if $flow_->waits_for
      printf "  waits for %s", $flow_->waits_for
    end
    printf "\n"
    set $flow_ = $flow_->next
  end
end
document flow-list
flow-list FLOWS: the live flows of a `struct flows *`.
end

define flow-backtrace
  set $flow_registers_ = ((struct flow *) $arg0)->context.uc_mcontext.gregs
  set $rip_ = $rip
  set $rsp_ = $rsp
  set $rbp_ = $rbp
  # REG_RBP is 10, REG_RSP 15, REG_RIP 16 in <sys/ucontext.h>.
  set $rsp = $flow_registers_[15]
  set $rbp = $flow_registers_[10]
  set $rip = $flow_registers_[16]
  backtrace
  set $rip = $rip_
  set $rsp = $rsp_
  set $rbp = $rbp_
end
document flow-backtrace
flow-backtrace FLOW: where a suspended `struct flow *` waits.
end
