"""Writes small picture files of every mode and orientation, with the pixels that Pillow decodes from them.

`python training/make_decode_golden.py`   fixtures/decode.golden.json; 16-bit files hold their expected pixels by formula, as Pillow clips them
"""

import base64
import io
import json
import struct
import zlib
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

WIDTH, HEIGHT = 13, 7


def formula_picture(channels):
    y, x, c = np.mgrid[0:HEIGHT, 0:WIDTH, 0:channels]
    return ((19 * x + 31 * y + 53 * c) % 256).astype(np.uint8)


def smooth_picture():
    """Without hard edges, so that two JPEG decoders differ by rounding alone."""
    y, x, c = np.mgrid[0:HEIGHT, 0:WIDTH, 0:3]
    return (30 + 12 * x + 9 * y + 20 * c).astype(np.uint8)


def saved(picture, kind, **options):
    out = io.BytesIO()
    picture.save(out, kind, **options)
    return out.getvalue()


def png16(values):
    """A 16-bit PNG of [height, width, channels]; 1 channel is grey, 3 are RGB."""
    height, width, channels = values.shape

    def chunk(name, data):
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    head = struct.pack(">IIBBBBB", width, height, 16, {1: 0, 3: 2}[channels], 0, 0, 0)
    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in values)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


def read(data):
    return np.array(ImageOps.exif_transpose(Image.open(io.BytesIO(data))).convert("RGBA"))


def exif(orientation):
    tags = Image.Exif()
    tags[0x0112] = orientation
    return tags.tobytes()


def main():
    colour = Image.fromarray(formula_picture(3))
    grey = Image.fromarray(formula_picture(1)[..., 0])
    palette = colour.quantize(16)
    smooth = Image.fromarray(smooth_picture())
    exact = {
        "grey.png": saved(grey, "PNG"),
        "one-bit.png": saved(grey.convert("1"), "PNG"),
        "grey-alpha.png": saved(Image.fromarray(formula_picture(2), "LA"), "PNG"),
        "rgb.png": saved(colour, "PNG"),
        "rgba.png": saved(Image.fromarray(formula_picture(4), "RGBA"), "PNG"),
        "palette.png": saved(palette, "PNG"),
        "palette-transparent.png": saved(palette, "PNG", transparency=3),
        "palette-soft.png": saved(palette, "PNG", transparency=bytes(range(0, 256, 16))),
        "rgb-key.png": saved(colour, "PNG", transparency=colour.getpixel((2, 1))),
        "palette.gif": saved(palette, "GIF"),
        "animated.gif": saved(palette, "GIF", save_all=True, append_images=[palette.transpose(Image.Transpose.FLIP_TOP_BOTTOM)], duration=100),
        "lossless.webp": saved(colour, "WEBP", lossless=True),
        "rgb.tiff": saved(colour, "TIFF"),
        "one-pixel.png": saved(colour.crop((0, 0, 1, 1)), "PNG"),
        "wide.png": saved(Image.new("L", (10000, 10), 77), "PNG"),
    }
    for orientation in range(1, 9):
        exact[f"orientation-{orientation}.png"] = saved(colour, "PNG", exif=exif(orientation))
    near = {f"orientation-{n}.jpg": saved(smooth, "JPEG", quality=100, subsampling=0, exif=exif(n)) for n in range(1, 9)}
    near["grey.jpg"] = saved(smooth.convert("L"), "JPEG", quality=100)
    files = []
    for tolerance, group in ((0, exact), (2, near)):
        for name, data in group.items():
            files.append(record(name, data, read(data), tolerance))
    # The upper byte, or the nearest value: decoders differ by one here.
    y, x, c = np.mgrid[0:HEIGHT, 0:WIDTH, 0:3]
    deep = (x * 4700 + y * 1100 + c * 2300).astype(np.uint16)
    for name, values in (("grey-16.png", deep[..., :1]), ("rgb-16.png", deep)):
        eight = np.rint(values / 257.0).astype(np.uint8)
        rgba = np.dstack([np.broadcast_to(eight, (HEIGHT, WIDTH, 3)), np.full((HEIGHT, WIDTH), 255, np.uint8)])
        files.append(record(name, png16(values), rgba, 1))
    cmyk = saved(smooth.convert("CMYK"), "JPEG", quality=100)
    files.append(record("cmyk.jpg", cmyk, read(cmyk), 255))
    out = Path(__file__).parent / "fixtures" / "decode.golden.json"
    out.write_text(json.dumps(files, separators=(",", ":")) + "\n")
    print(out.stat().st_size, "bytes")


def record(name, data, rgba, tolerance):
    pixels = base64.b64encode(zlib.compress(rgba.tobytes(), 9)).decode()
    return {"name": name, "file": base64.b64encode(data).decode(), "width": rgba.shape[1], "height": rgba.shape[0], "tolerance": tolerance, "rgba": pixels}


if __name__ == "__main__":
    main()
