# Probe tasks as containers on Calico's networks, by the Docker of an agent. modules/remote/docker.ts sets $run, $image and
# $ipam before it and the steps behind it. Runs as root; what it answers is lines, `failed` among them; it writes no file.
PATH=$PATH:/opt/bin:/usr/local/bin:/usr/bin:/bin

# The last line that says something; Docker's client ends with a hint about itself.
why() {
  echo "$said" | grep -v -e "^Run 'docker" -e "^See 'docker" -e '^$' | tail -n 1
}

command -v docker >/dev/null 2>&1 || { echo "failed - there is no docker program on this host"; exit 0; }
said=$(timeout 30 docker version --format '{{.Server.Version}}' 2>&1) || {
  echo "failed - Docker does not answer: $(why)"
  exit 0
}
version=$(echo "$said" | tail -n 1)

engine() { echo "engine $version"; }

# Made by whoever finds it missing; elsewhere it is only looked at. `- - - -` where it is not.
network() {
  made=there
  look "$2"
  if [ "$id" = - ] && [ "$1" = make ]; then
    said=$(timeout 60 docker network create --driver calico --ipam-driver "$ipam" "$2" 2>&1) || {
      echo "failed $2 Docker did not make the network: $(why)"
      return
    }
    made=made
    look "$2"
  fi
  echo "network $2 $id $kind $scope $by $made"
}

look() {
  read -r found id kind scope by <<MC_END
$(timeout 30 docker network inspect --format '{{.Name}} {{.Id}} {{.Driver}} {{.Scope}} {{.IPAM.Driver}}' "$1" 2>/dev/null)
MC_END
  # By name: Docker also takes the beginning of an id for one.
  [ "$found" = "$1" ] || { id=- kind=- scope=- by=-; }
}

drop() {
  said=$(timeout 60 docker network rm "$1" 2>&1) || echo "failed $1 Docker did not remove the network: $(why)"
}

# Once, before many ask for it at the same time.
have_image() {
  docker inspect --type image "$image" >/dev/null 2>&1 && return
  said=$(timeout 240 docker pull "$image" 2>&1) || {
    echo "failed - the image $image is not here and cannot be had: $(why)"
    exit 0
  }
}

task() {
  said=$(timeout 120 docker run --detach --name "$2" --label "mesos-calico.run=$run" \
    --label "mesos-calico.task=$1" --net "$3" --entrypoint sleep "$image" 2147483647 2>&1) || { echo "failed $1 $(why)"; return; }
  form="{{.State.Running}} {{.State.Pid}} {{with index .NetworkSettings.Networks \"$3\"}}{{.IPAddress}} {{.EndpointID}}{{end}}"
  read -r up pid address endpoint <<MC_END
$(timeout 30 docker inspect --format "$form" "$2" 2>&1)
MC_END
  [ "$up" = true ] || { echo "failed $1 it ended at once: $(docker logs "$2" 2>&1 | tail -n 1)"; return; }
  echo "task $1 ${address:--} $pid ${endpoint:--}"
}

# Containers of this run, or of all; or one task of them.
stop() {
  containers=$(timeout 60 docker ps --all --quiet --filter "label=mesos-calico.run$1" \
    ${2:+--filter "label=mesos-calico.task=$2"}) || { echo "failed - Docker does not tell its containers"; return; }
  [ -z "$containers" ] || said=$(timeout 120 docker rm --force $containers 2>&1) || echo "failed - $(why)"
  echo "stopped $(echo "$containers" | grep -c .)"
}
