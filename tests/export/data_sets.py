"""Small data sets in the formats that others publish, written by hand as those formats are described."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from PIL import Image

UPAR_HEADER = (
    "# image,Age-Young,Age-Adult,Age-Old,Gender-Female,Hair-Length-Short,Hair-Length-Long,Hair-Length-Bald,"
    "UpperBody-Length-Short,UpperBody-Color-Black,UpperBody-Color-Blue,UpperBody-Color-Brown,UpperBody-Color-Green,"
    "UpperBody-Color-Grey,UpperBody-Color-Orange,UpperBody-Color-Pink,UpperBody-Color-Purple,UpperBody-Color-Red,"
    "UpperBody-Color-White,UpperBody-Color-Yellow,UpperBody-Color-Other,LowerBody-Length-Short,LowerBody-Color-Black,"
    "LowerBody-Color-Blue,LowerBody-Color-Brown,LowerBody-Color-Green,LowerBody-Color-Grey,LowerBody-Color-Orange,"
    "LowerBody-Color-Pink,LowerBody-Color-Purple,LowerBody-Color-Red,LowerBody-Color-White,LowerBody-Color-Yellow,"
    "LowerBody-Color-Other,LowerBody-Type-Trousers&Shorts,LowerBody-Type-Skirt&Dress,Accessory-Backpack,Accessory-Bag,"
    "Accessory-Glasses-Normal,Accessory-Glasses-Sun,Accessory-Hat"
)


def picture(path: Path, width: int = 80, height: int = 100, **options: Any) -> Path:
    """A picture with some structure, so that a half of its file is not the whole."""
    path.parent.mkdir(parents=True, exist_ok=True)
    image = Image.linear_gradient("L").resize((width, height)).convert("RGB")
    image.save(path, **options)
    return path


def captures(folder: Path, count: int = 3) -> Path:
    """As a device keeps them: a crop and a sidecar each."""
    for number in range(count):
        name = f"{number:032x}"
        picture(folder / f"{name}.jpg")
        sidecar = {
            "schema": "comfywear/v1/capture",
            "id": name,
            "image": {"file_name": f"{name}.jpg", "width": 80, "height": 100},
            "annotations": [
                {"label": "person", "bbox": [8.0, 4.0, 60.5, 92.0], "score": 0.71, "threshold": 0.4},
                {"label": "top", "bbox": [12.0, 20.0, 40.0, 30.0], "score": 0.38, "threshold": 0.31},
            ],
            "sampler": "vote",
            "why": "vote 4",
            "zone": "desk",
            "ts": f"2026-11-{10 + number}T09:00:00Z",
            "time_ok": True,
            "models": [{"role": "detector", "id": "detector 1", "sha256": "00"}],
            "crop_of": {"box": [0, 0, 80, 100], "width": 640, "height": 480},
            "vote": {"id": "v1", "level": 4, "scale": "comfort-5"},
        }
        (folder / f"{name}.json").write_text(json.dumps(sidecar))
    return folder


def coco(folder: Path) -> Path:
    """As COCO is published: annotations/instances_SPLIT2017.json and a folder of pictures a split."""
    for split in ("train", "val"):
        picture(folder / f"{split}2017" / "000000000139.jpg")
        data = {
            "info": {"year": 2017},
            "licenses": [],
            "images": [
                {"license": 2, "file_name": "000000000139.jpg", "height": 100, "width": 80, "id": 139, "coco_url": ""}
            ],
            "annotations": [
                {
                    "segmentation": [[10.0, 10.0, 50.0, 10.0, 50.0, 90.0]],
                    "area": 1600.0,
                    "iscrowd": 0,
                    "image_id": 139,
                    "bbox": [10.0, 10.0, 40.0, 80.0],
                    "category_id": 1,
                    "id": 1768,
                },
                {"iscrowd": 1, "image_id": 139, "bbox": [60, 20, 30.5, 20], "category_id": 27, "id": 1769},
            ],
            "categories": [
                {"supercategory": "accessory", "id": 27, "name": "backpack"},
                {"supercategory": "person", "id": 1, "name": "person"},
            ],
        }
        (folder / "annotations").mkdir(exist_ok=True)
        (folder / "annotations" / f"instances_{split}2017.json").write_text(json.dumps(data))
    return folder


def yolo(folder: Path) -> Path:
    """As Roboflow exports it: data.yaml beside train and valid, with paths that lead one folder too far up."""
    for split in ("train", "valid"):
        picture(folder / split / "images" / "a.jpg")
        (folder / split / "labels").mkdir()
        (folder / split / "labels" / "a.txt").write_text(
            "1 0.5 0.5 0.25 0.5\n0 0.1 0.1 0.5 0.1 0.5 0.4 0.1 0.4\n1 0.5 0.5 0.5 0.5 0.875\n"
        )
    picture(folder / "train" / "images" / "nothing-on-it.png")
    (folder / "data.yaml").write_text(
        "train: ../train/images\nval: ../valid/images\ntest: \n\nnc: 2\nnames: ['hat', 'person']\n"
    )
    return folder


def cvat(folder: Path) -> Path:
    """As CVAT exports a task, "CVAT for images 1.1"."""
    picture(folder / "images" / "0001.jpg")
    picture(folder / "images" / "sub" / "0002.jpg")
    (folder / "annotations.xml").write_text(
        """<?xml version="1.0" encoding="utf-8"?>
<annotations>
  <version>1.1</version>
  <meta>
    <task>
      <id>7</id> <name>office</name> <size>2</size> <mode>annotation</mode> <overlap>0</overlap>
      <labels>
        <label> <name>person</name> <color>#c06060</color> <type>rectangle</type>
          <attributes>
            <attribute> <name>seated</name> <mutable>False</mutable> <input_type>checkbox</input_type>
              <default_value>false</default_value> <values>false</values> </attribute>
          </attributes> </label>
        <label> <name>top</name> <color>#3d3df5</color> <type>any</type> <attributes></attributes> </label>
      </labels>
      <dumped>2026-11-23 10:00:00.000000+00:00</dumped>
    </task>
  </meta>
  <image id="0" name="0001.jpg" width="80" height="100">
    <box label="person" source="manual" occluded="0" xtl="10.50" ytl="20.00" xbr="60.50" ybr="90.00" z_order="0">
      <attribute name="seated">true</attribute>
    </box>
    <box label="top" source="auto" occluded="1" xtl="12.00" ytl="30.00" xbr="50.00" ybr="60.00" z_order="1">
      <attribute name="score">0.625</attribute>
    </box>
    <polygon label="top" source="manual" occluded="0" points="1.00,2.00;3.00,4.00;5.00,2.00" z_order="0"></polygon>
  </image>
  <image id="1" name="sub/0002.jpg" width="80" height="100">
  </image>
</annotations>
"""
    )
    return folder


def deepfashion2(folder: Path) -> Path:
    """As it is published: SPLIT/image/NNNNNN.jpg and SPLIT/annos/NNNNNN.json."""
    for split in ("train", "validation"):
        picture(folder / split / "image" / "000001.jpg")
        item = {
            "segmentation": [[10, 10, 40, 10, 40, 60]],
            "scale": 2,
            "viewpoint": 2,
            "zoom_in": 1,
            "landmarks": [20, 12, 2, 0, 0, 0],
            "style": 1,
            "bounding_box": [10, 12, 50, 62],
            "category_id": 1,
            "occlusion": 1,
            "category_name": "short sleeve top",
        }
        other = {**item, "category_id": 5, "category_name": "vest", "bounding_box": [0, 0, 80, 100], "style": 0}
        (folder / split / "annos").mkdir()
        (folder / split / "annos" / "000001.json").write_text(
            json.dumps({"source": "user", "pair_id": 28, "item1": item, "item2": other})
        )
    return folder


def upar(folder: Path, header: str = UPAR_HEADER) -> Path:
    """As the challenge lays it out: phase1/train/train.csv, the pictures beside phase1."""
    name = "Market1501/bounding_box_train/0002_c1s1_000451_03.jpg"
    picture(folder / name, 64, 128)
    values = ["0"] * 40
    values[0] = values[4] = values[33] = values[39] = "1"
    (folder / "phase1" / "train").mkdir(parents=True)
    (folder / "phase1" / "train" / "train.csv").write_text(f"{header}\n{name},{','.join(values)}\n")
    return folder
