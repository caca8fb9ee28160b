using System.Buffers.Binary;
using System.IO.Compression;

namespace MuseAtelier.Tests.Support;

/// <summary>Writes files as <c>torch.save</c> does: the zip archive, and the format before it.</summary>
internal static class TorchWriter
{
    /// <summary>The strides of a contiguous tensor.</summary>
    public static long[] Strides(long[] shape)
    {
        var strides = new long[shape.Length];
        long stride = 1;
        for (int i = shape.Length - 1; i >= 0; i--)
        {
            strides[i] = stride;
            stride *= shape[i];
        }

        return strides;
    }

    /// <summary>Writes the tensors of a checkpoint as an archive.</summary>
    /// <param name="path">Path of the file.</param>
    /// <param name="checkpoint">The tensors: F32 or F16.</param>
    /// <param name="nested">The key of the dictionary that holds them within another; null for none.</param>
    public static string Write(string path, RawCheckpoint checkpoint, string? nested = null)
    {
        byte[][] storages = [.. checkpoint.Tensors.Values.Select(tensor => tensor.Bytes)];
        return WriteArchive(path, Pickle(checkpoint, nested, isLegacy: false), storages);
    }

    /// <summary>Writes an archive of a pickle and its storages, whose keys are their numbers.</summary>
    public static string WriteArchive(
        string path, byte[] pickle, byte[][] storages, CompressionLevel compression = CompressionLevel.NoCompression)
    {
        File.Delete(path);
        using ZipArchive archive = ZipFile.Open(path, ZipArchiveMode.Create);
        Add("archive/data.pkl", pickle);
        Add("archive/byteorder", "little"u8.ToArray());
        for (int i = 0; i < storages.Length; i++) Add($"archive/data/{i}", storages[i]);
        Add("archive/version", "3\n"u8.ToArray());
        return path;

        void Add(string name, byte[] content)
        {
            using Stream entry = archive.CreateEntry(name, compression).Open();
            entry.Write(content);
        }
    }

    /// <summary>Writes the tensors of a checkpoint in the format before version 1.6.</summary>
    public static string WriteLegacy(string path, RawCheckpoint checkpoint, string? nested = null)
    {
        using FileStream file = File.Create(path);
        file.Write([0x80, 2, 0x8A, 0x0A, 0x6C, 0xFC, 0x9C, 0x46, 0xF9, 0x20, 0x6A, 0xA8, 0x50, 0x19, 0x2E]);
        file.Write([0x80, 2, 0x4D, 0xE9, 0x03, 0x2E]);
        file.Write(new PickleWriter().Dictionary().Mark().Text("little_endian").Raw(0x88).SetItems().End());
        file.Write(Pickle(checkpoint, nested, isLegacy: true));
        var keys = new PickleWriter().Raw((byte)']').Mark();
        for (int i = 0; i < checkpoint.Tensors.Count; i++) keys.Text($"{i}");
        file.Write(keys.Raw((byte)'e').End());
        byte[] count = new byte[sizeof(long)];
        foreach (RawCheckpoint.Tensor tensor in checkpoint.Tensors.Values)
        {
            BinaryPrimitives.WriteInt64LittleEndian(count, Elements(tensor));
            file.Write(count);
            file.Write(tensor.Bytes);
        }

        return path;
    }

    /// <summary>The description of the tensors of a checkpoint, F32 or F16, whose storages' keys are their numbers.</summary>
    /// <param name="checkpoint">The tensors.</param>
    /// <param name="nested">The key of the dictionary that holds them within another; null for none.</param>
    /// <param name="isLegacy">Whether it is for the format before version 1.6.</param>
    public static byte[] Pickle(RawCheckpoint checkpoint, string? nested, bool isLegacy)
    {
        var pickle = new PickleWriter();
        if (nested is not null) pickle.Dictionary().Mark().Text(nested);
        pickle.OrderedDictionary().Mark();
        int key = 0;
        foreach ((string name, RawCheckpoint.Tensor tensor) in checkpoint.Tensors)
        {
            string type = tensor.Type == "F32" ? "FloatStorage" : "HalfStorage";
            pickle.Text(name).Global("torch._utils", "_rebuild_tensor_v2").Mark();
            pickle.Mark().Text("storage").Global("torch", type).Text($"{key++}").Text("cpu").Number(Elements(tensor));
            if (isLegacy) pickle.Raw((byte)'N');
            pickle.Tuple().Raw((byte)'Q').Number(0).Numbers(tensor.Shape).Numbers(Strides(tensor.Shape)).Raw(0x89);
            pickle.OrderedDictionary().Tuple().Call();
        }

        // A state_dict carries the versions of its modules as an attribute.
        pickle.SetItems().Dictionary().Mark().Text("_metadata").OrderedDictionary().SetItems().Raw((byte)'b');
        if (nested is not null) pickle.Text("iteration").Number(400_000).SetItems();
        return pickle.End();
    }

    private static long Elements(RawCheckpoint.Tensor tensor) => tensor.Shape.Aggregate(1L, (product, size) => product * size);
}
