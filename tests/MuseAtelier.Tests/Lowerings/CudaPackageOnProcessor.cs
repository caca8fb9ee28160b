using System.Globalization;
using System.Security.Cryptography;
using Google.Protobuf;
using MuseAtelier.Export;
using MuseAtelier.Export.Onnx;
using MuseAtelier.Export.Onnx.Proto;
using MuseAtelier.Format;

namespace MuseAtelier.Tests.Lowerings;

/// <summary>
/// Turns a package of the CUDA lowering into one that a processor runs: every operator that only a card has is replaced by standard ones of
/// the same meaning. What the lowering computes can so be held against reference values where there is no card.
/// </summary>
internal static class CudaPackageOnProcessor
{
    /// <summary>Exports a checkpoint for CUDA and rewrites the package.</summary>
    public static void Export(string checkpoint, string folder, Precisions? precisions = null)
    {
        CheckpointExporter.Export(checkpoint, folder, new ExportOptions { Lowering = Lowering.Cuda, Precisions = precisions });
        Rewrite(folder);
    }

    /// <summary>Rewrites a package of the CUDA lowering.</summary>
    public static void Rewrite(string folder)
    {
        PackageManifest manifest = PackageManifest.Read(folder);
        var files = new List<FileSpec>();
        foreach (FileSpec file in manifest.Files)
        {
            string path = Path.Combine(folder, file.Name);
            if (!file.Name.EndsWith(".onnx", StringComparison.Ordinal))
            {
                files.Add(file);
                continue;
            }

            ModelProto model = ModelProto.Parser.ParseFrom(File.ReadAllBytes(path));
            Rewrite(model.Graph);
            byte[] bytes = model.ToByteArray();
            File.WriteAllBytes(path, bytes);
            files.Add(new FileSpec(file.Name, bytes.Length, Convert.ToHexStringLower(SHA256.HashData(bytes))));
        }

        (manifest with { Lowering = Lowering.Portable, Precisions = manifest.PartPrecisions, Files = files }).Write(folder);
    }

    private static void Rewrite(GraphProto graph)
    {
        NodeProto[] nodes = [.. graph.Node];
        graph.Node.Clear();
        foreach (NodeProto node in nodes)
        {
            var writer = new Writer(graph, node);
            switch (node.OpType)
            {
                case "NhwcConv": writer.Convolve(); break;
                case OperatorNames.GroupNorm or OperatorNames.GroupNorm32: writer.Normalise(node.OpType == OperatorNames.GroupNorm); break;
                case OperatorNames.ResidualLayerNorm: writer.NormaliseTokens(); break;
                case OperatorNames.Gate: writer.Gate(); break;
                case OperatorNames.StreamSum: writer.EndStream(); break;
                case OperatorNames.BiasedSum or OperatorNames.BiasedSum32: writer.Sum(); break;
                default: graph.Node.Add(node); break;
            }
        }
    }

    private sealed class Writer(GraphProto graph, NodeProto node)
    {
        private int _count;

        public void Convolve()
        {
            string x = Add("Transpose", [node.Input[0]], GraphBuilder.Ints("perm", 0, 3, 1, 2));
            string w = Add("Transpose", [node.Input[1]], GraphBuilder.Ints("perm", 0, 3, 1, 2));
            var convolution = new NodeProto { OpType = "Conv", Name = node.Name };
            convolution.Input.AddRange([x, w, .. node.Input.Skip(2)]);
            convolution.Output.Add($"{node.Name}_planes");
            convolution.Attribute.AddRange(node.Attribute);
            graph.Node.Add(convolution);
            Finish("Transpose", [convolution.Output[0]], 0, GraphBuilder.Ints("perm", 0, 2, 3, 1));
        }

        public void Normalise(bool inHalf)
        {
            string x = node.Input[0];
            if (node.Input.Count > 4) x = Add("Add", [x, node.Input[4]]);
            if (node.Input.Count > 3 && node.Input[3].Length > 0)
            {
                // [n, c] becomes [n, 1, 1, c]; [n, h, w, c] stays what it is.
                string residual = node.Input[3];
                if (residual.StartsWith('x') && IsVector(residual)) residual = Add("Reshape", [residual, Constant(0, 1, 1, -1)]);
                x = Add("Add", [x, residual]);
            }

            if (node.Output.Count > 1) Finish("Identity", [x], 1);
            string wide = Add("Cast", [x], GraphBuilder.Int("to", 1));
            string flat = Add("Reshape", [wide, Constant(0, -1, 32, (long)Channels() / 32)]);
            string centred = Add("Sub", [flat, Add("ReduceMean", [flat, Constant(1, 3)])]);
            string variance = Add("ReduceMean", [Add("Mul", [centred, centred]), Constant(1, 3)]);
            string deviation = Add("Sqrt", [Add("Add", [variance, Number(Attribute("epsilon").F)])]);
            string y = Add("Reshape", [Add("Div", [centred, deviation]), Add("Shape", [wide])]);
            y = Add("Add", [Add("Mul", [y, node.Input[1]]), node.Input[2]]);
            if (Attribute("silu").I != 0) y = Add("Mul", [y, Add("Sigmoid", [y])]);
            Finish("Cast", [y], 0, GraphBuilder.Int("to", inHalf ? 10 : 1));
        }

        // x fp16, residual fp32, bias fp16, scale, offset.
        public void NormaliseTokens()
        {
            string sum = Add("Add", [Add("Add", [Wide(node.Input[0]), Wide(node.Input[2])]), node.Input[1]]);
            Finish("Identity", [sum], 1);
            AttributeProto epsilon = GraphBuilder.Float("epsilon", Attribute("epsilon").F);
            string normalised = Add("LayerNormalization", [sum, node.Input[3], node.Input[4]], epsilon);
            Finish("Cast", [normalised], 0, GraphBuilder.Int("to", 10));
        }

        public void Gate()
        {
            var split = new NodeProto { OpType = "Split", Name = $"{node.Name}_split" };
            split.Input.Add(Add("Add", [node.Input[0], node.Input[1]]));
            split.Output.AddRange([$"{node.Name}_value", $"{node.Name}_gate"]);
            split.Attribute.AddRange([GraphBuilder.Int("axis", -1), GraphBuilder.Int("num_outputs", 2)]);
            graph.Node.Add(split);
            Finish("Mul", [split.Output[0], Add("Gelu", [split.Output[1]])], 0);
        }

        // x fp16, bias fp16, residual fp32.
        public void EndStream()
        {
            string sum = Add("Add", [Add("Add", [Wide(node.Input[0]), Wide(node.Input[1])]), node.Input[2]]);
            Finish("Cast", [sum], 0, GraphBuilder.Int("to", 10));
        }

        public void Sum() => Finish("Add", [Add("Add", [node.Input[0], node.Input[1]]), node.Input[2]], 0);

        private string Wide(string tensor) => Add("Cast", [tensor], GraphBuilder.Int("to", 1));

        private bool IsVector(string name) => graph.Input.FirstOrDefault(input => input.Name == name)?.Type.TensorType.Shape.Dim.Count == 2;

        private int Channels() => (int)graph.Initializer.First(tensor => tensor.Name == node.Input[1]).Dims[0];

        private AttributeProto Attribute(string name) => node.Attribute.First(attribute => attribute.Name == name);

        private string Constant(params long[] values)
        {
            var data = ByteString.CopyFrom(System.Runtime.InteropServices.MemoryMarshal.AsBytes<long>(values));
            var tensor = new TensorProto { Name = NextName(), DataType = 7, RawData = data };
            tensor.Dims.Add(values.Length);
            graph.Initializer.Add(tensor);
            return tensor.Name;
        }

        private string Number(float value)
        {
            var tensor = new TensorProto { Name = NextName(), DataType = 1, RawData = ByteString.CopyFrom(BitConverter.GetBytes(value)) };
            graph.Initializer.Add(tensor);
            return tensor.Name;
        }

        private string Add(string type, IEnumerable<string> inputs, params AttributeProto[] attributes) =>
            Write(type, inputs, NextName(), attributes);

        private void Finish(string type, IEnumerable<string> inputs, int output, params AttributeProto[] attributes) =>
            Write(type, inputs, node.Output[output], attributes);

        private string Write(string type, IEnumerable<string> inputs, string output, AttributeProto[] attributes)
        {
            var added = new NodeProto { OpType = type, Name = $"{output}_{type}" };
            added.Input.AddRange(inputs);
            added.Output.Add(output);
            added.Attribute.AddRange(attributes);
            graph.Node.Add(added);
            return output;
        }

        private string NextName() => string.Create(CultureInfo.InvariantCulture, $"{node.Name}_{_count++}");
    }
}
