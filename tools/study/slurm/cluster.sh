#!/bin/bash
# A Slurm cluster of two nodes on this machine: munged, slurmctld and two slurmd on loopback.
#
#   sudo apt-get install --no-install-recommends slurm-wlm munge
#   tools/study/slurm/cluster.sh start DIR    # as root; prints what to export
#   tools/study/slurm/cluster.sh stop DIR
set -euo pipefail
command=$1
dir=$(realpath -m "$2")
export SLURM_CONF=$dir/slurm.conf

start() {
    mkdir -p "$dir"/{state,spool-n1,spool-n2,log}
    chmod 755 "$dir"
    # Slurm refuses messages that munge has not signed.
    dd if=/dev/urandom of="$dir/munge.key" bs=128 count=1 status=none
    chmod 600 "$dir/munge.key"
    munged --force --key-file="$dir/munge.key" --socket="$dir/munge.socket" --pid-file="$dir/munged.pid" \
        --log-file="$dir/log/munged.log" --seed-file="$dir/munge.seed"
    local name cores
    name=$(hostname -s)
    cores=$(nproc)
    cat > "$SLURM_CONF" <<CONF
ClusterName=lmz
SlurmctldHost=$name(127.0.0.1)
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
AuthInfo=socket=$dir/munge.socket
CredType=cred/munge
SlurmctldPort=17817
StateSaveLocation=$dir/state
SlurmdSpoolDir=$dir/spool-%n
SlurmctldPidFile=$dir/slurmctld.pid
SlurmdPidFile=$dir/slurmd-%n.pid
SlurmctldLogFile=$dir/log/slurmctld.log
SlurmdLogFile=$dir/log/slurmd-%n.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
AccountingStorageType=accounting_storage/none
JobAcctGatherType=jobacct_gather/none
MpiDefault=none
ReturnToService=2
SchedulerParameters=sched_interval=1,batch_sched_delay=0
MinJobAge=300
MaxArraySize=${MAX_ARRAY_SIZE:-4}
JobRequeue=1
NodeName=n1 NodeHostname=$name NodeAddr=127.0.0.1 Port=17818 CPUs=$cores RealMemory=900 State=UNKNOWN
NodeName=n2 NodeHostname=$name NodeAddr=127.0.0.1 Port=17819 CPUs=$cores RealMemory=900 State=UNKNOWN
PartitionName=debug Nodes=n1,n2 Default=YES MaxTime=60 State=UP
CONF
    slurmctld -f "$SLURM_CONF"
    slurmd -N n1 -f "$SLURM_CONF"
    slurmd -N n2 -f "$SLURM_CONF"
    for _ in $(seq 60); do
        if [ "$(sinfo -h -N -o %T 2> "$dir/log/sinfo.log" | grep -c idle)" = 2 ]; then
            sinfo >&2
            echo "export SLURM_CONF=$SLURM_CONF"
            return
        fi
        sleep 1
    done
    tail -n 20 "$dir"/log/*.log >&2
    echo "the cluster did not come up" >&2
    return 1
}

stop() {
    for pid in "$dir"/{slurmd-n1,slurmd-n2,slurmctld,munged}.pid; do
        if [ -s "$pid" ]; then
            kill "$(cat "$pid")" || true
        fi
    done
}

case $command in
start) start ;;
stop) stop ;;
*)
    echo "usage: $0 start|stop DIR" >&2
    exit 2
    ;;
esac
